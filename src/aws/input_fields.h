#pragma once

// The fields of a request's head that identification asks for, found in one pass. Internal to
// src/aws.

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"

namespace remit::aws {

// Whether a name begins with "x-amz-", in any case. Inline: every field of every request is asked.
inline bool begins_amz(std::string_view name) {
  if (name.size() < 6) return false;
  // Of the letters alone the bit that tells the cases apart is set; the dashes must be as they are.
  constexpr std::string_view kLetters("\x20\0\x20\x20\x20\0", 6);
  constexpr std::string_view kPrefix = "x-amz-";
  for (std::size_t i = 0; i < kPrefix.size(); ++i)
    if ((name[i] | kLetters[i]) != kPrefix[i]) return false;
  return true;
}

// Views and pointers into the head, which must not change while they are used.
struct InputFields {
  const http::Fields* all = nullptr;
  std::string_view content_type, content_encoding;  // empty when absent
  std::string_view smithy_protocol, amz_target;
  boost::container::small_vector<const http::Field*, 8> amz;  // those that begin with x-amz-
};

// InvalidInput when a field that selects or is input stands twice: two readers may take different
// ones.
Result<void> read_fields(const http::Fields& fields, InputFields& into);

// A field by name; an x-amz- one is looked for among those only. nullptr when there is none.
const http::Field* find(const InputFields& fields, std::string_view name);

}  // namespace remit::aws
