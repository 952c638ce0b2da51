#pragma once

// Strict reading of JSON (RFC 8259): the whole text is validated, duplicate keys, lone surrogates,
// invalid UTF-8, excess depth and anything after the value are refused, and every value remembers
// where in the text it stood. What decides access or is forwarded is read here, so that no second
// parser can read the same bytes differently.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/result.h"

namespace remit::json {

enum class Kind : std::uint8_t { Null, Bool, Number, String, Array, Object };
std::string_view name_of(Kind kind);  // "null", "true or false", "a number", ... for messages

// One-based; columns count bytes.
struct Position {
  std::size_t line = 1;
  std::size_t column = 1;
};

struct Limits {
  std::size_t max_bytes = std::size_t{16} << 20;
  std::size_t max_depth = 64;
  std::size_t max_values = 1'000'000;
};

struct ParseError {
  Position position;
  std::size_t offset = 0;  // of the byte that could not be read
  std::string message;     // lower case, no final stop: what was found and what would be right
  Error to_error(std::string_view file) const;  // "file:3:9: ..."
};

class Document;
class Members;
class Elements;

// A light handle on one value of a Document; valid as long as that Document (moving a Document
// keeps its values valid). Asking a value for what it is not is a bug and ends the process, except
// for the `find` and `as_...` functions that answer with an optional.
class Value {
 public:
  Kind kind() const;
  bool is(Kind k) const { return kind() == k; }

  bool boolean() const;
  std::string_view string() const;       // decoded
  std::string_view number_text() const;  // exactly as written
  std::optional<std::int64_t> as_int64() const;   // nullopt unless a number that is one exactly
  std::optional<double> as_double() const;        // nullopt unless a finite number
  std::optional<std::string_view> as_string() const;
  std::optional<bool> as_boolean() const;

  std::size_t size() const;                              // members or elements; 0 for a scalar
  std::optional<Value> find(std::string_view key) const;  // of an object; nullopt otherwise
  // find() along a path of keys: value.at({"params", "arguments"}).
  std::optional<Value> at(std::initializer_list<std::string_view> path) const;
  Members members() const;    // in document order
  Elements elements() const;

  std::string_view raw() const;       // the bytes of this value exactly as written
  std::size_t offset() const;         // of its first byte
  Position position() const;          // linear in the offset: for messages only

 private:
  friend class Document;
  friend class Members;
  friend class Elements;
  Value(const Document* document, std::uint32_t index) : document_(document), index_(index) {}
  const Document* document_ = nullptr;
  std::uint32_t index_ = 0;
};

// (Members is a range of {std::string_view key; std::size_t key_offset; Value value;}, Elements of Value.)

}  // namespace remit::json
