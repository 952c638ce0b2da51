#pragma once

// The canonical request of SigV4, piece by piece, into buffers that are reused.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "aws/sigv4.h"
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

// The fields of a head by lower-case name, sorted, those of one name in the order sent.
class HeaderTable {
 public:
  struct Row {
    std::uint64_t order;  // the name's first eight bytes: nearly always enough to sort by
    std::uint32_t name_at;
    std::uint32_t name_size;
    const std::string* value;
  };
  void fill(const http::Fields& fields);
  std::string_view name(const Row& row) const {
    return std::string_view(names_).substr(row.name_at, row.name_size);
  }
  const std::vector<Row>& rows() const { return rows_; }

  // "name:value\n" for each name of "a;b;c", of which `:authority` is Host. False when one of the
  // names has no field.
  bool append_signed(std::string& out, std::string_view signed_headers) const;
  // The same for every field that may be signed; the names go to `signed_headers`.
  void append_signable(std::string& out, std::string& signed_headers) const;

 private:
  bool append_authority(std::string& out) const;

  std::string names_;
  std::vector<Row> rows_;
};

// Fields that proxies on the way may change, and Authorization itself.
bool is_never_signed(std::string_view lower_name);

}  // namespace remit::aws
