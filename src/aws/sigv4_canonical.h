#pragma once

// The canonical request of SigV4, piece by piece, into buffers that are reused.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "aws/sigv4.h"
#include "base/encoding.h"
#include "base/result.h"
#include "net/http.h"

namespace remit::aws {

struct SplitTarget {
  std::string_view path;
  std::string_view query;  // without the '?'
};
// Of a target in origin form; InvalidInput for another form and for a '%' without two hex digits.
Result<SplitTarget> split_target(std::string_view target);

// Normalised: without dot segments and double slashes, each byte but the unreserved encoded (again,
// for what was encoded before). AsSent: each segment decoded and encoded once; %2F stays %2F.
void append_canonical_path(std::string& out, std::string_view path, PathRule rule);

// One name=value of a query, as sent.
struct RawPair {
  std::string_view name;
  std::string_view value;
};
// Takes the next pair off `query`, skipping empty ones; false at the end.
bool next_pair(std::string_view& query, RawPair& pair);

// Decoded and encoded with upper-case digits; '+' becomes %2B: parse_signed refuses it beforehand.
void append_recoded(std::string& out, std::string_view text);

class CanonicalQuery {
 public:
  // Sorted by encoded name and value. A pair of the name `without` is left out.
  void append(std::string& out, std::string_view query, std::string_view without = {});

 private:
  struct Piece {
    std::uint32_t name_at, name_size, value_at, value_size;
  };
  std::string text_;
  std::vector<Piece> pieces_;
};

// What the SDK for JavaScript signs in place of Host over HTTP/2.
inline constexpr std::string_view kAuthority = ":authority";

// "name:value\n" for each name of "a;b;c", the values of one name in the order sent. `:authority`
// is Host. False when one of the names has no field.
bool append_signed(std::string& out, const http::Fields& fields, std::string_view signed_headers);

// The fields of a head that may be signed, by lower-case name, those of one name in the order sent.
// Never signed is what proxies on the way may change, and Authorization itself.
class SignableFields {
 public:
  // The fields must stay where they are until append().
  void fill(const http::Fields& fields);
  // How much append() appends to `out` at most, and to `signed_headers`.
  std::size_t max_size() const { return max_size_; }
  // "name:value\n" for each; the names go to `signed_headers`.
  void append(std::string& out, std::string& signed_headers) const;

 private:
  struct Row {
    std::uint64_t order;  // the name's first eight bytes: nearly always enough to sort by
    const http::Field* field;
  };
  static bool before(const Row& a, const Row& b);

  std::vector<Row> rows_;
  std::size_t max_size_ = 0;
};

// Lower-case field names, found by their length first, ignoring case.
template <std::size_t N>
class NameSet {
 public:
  consteval explicit NameSet(const std::array<std::string_view, N>& names) : names_(names) {
    static_assert(N <= 32);
    for (std::size_t i = 0; i < N; ++i) of_size_.at(names[i].size()) |= std::uint32_t{1} << i;
  }
  // Its place in the list; N when it is not there.
  std::size_t find(std::string_view name) const {
    if (name.size() >= of_size_.size()) return N;
    for (std::uint32_t left = of_size_[name.size()]; left != 0; left &= left - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(left));
      if (equals_ignoring_ascii_case(name, names_[i])) return i;
    }
    return N;
  }
  static constexpr std::size_t size() { return N; }
  bool contains(std::string_view name) const { return find(name) != N; }
  std::string_view operator[](std::size_t i) const { return names_[i]; }

 private:
  std::array<std::string_view, N> names_;
  std::array<std::uint32_t, 32> of_size_{};  // which of them have a name of so many bytes
};

}  // namespace remit::aws
