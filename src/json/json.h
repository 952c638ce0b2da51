#pragma once

// Strict reading of JSON (RFC 8259): the whole text is validated; duplicate keys, lone surrogates,
// invalid UTF-8, numbers beyond the range of a double, excess depth, NUL, a byte order mark and
// anything after the value are refused; and every value remembers where in the text it stood. What
// decides access or is forwarded is read here, so that no second parser can read the same bytes
// differently.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <initializer_list>
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

// Where byte `offset` of `text` stands. Linear in the offset: for messages only.
Position position_in(std::string_view text, std::size_t offset);

struct Limits {
  std::size_t max_bytes = std::size_t{16} << 20;  // never more than 4 GiB - 1
  std::size_t max_depth = 64;                     // of arrays and objects; never more than 1024
  std::size_t max_values = 1'000'000;             // keys not counted
};

struct ParseError {
  Position position;
  std::size_t offset = 0;  // of the byte that could not be read
  std::string message;     // lower case, no final stop: what was found and what would be right
  Error to_error(std::string_view file) const;  // "file:3:9: ..."
};

// The flat form behind a Value; of no interest to others.
namespace detail {
struct Node {
  std::uint32_t begin = 0;    // of the value's bytes in the text
  std::uint32_t end = 0;      // one past them
  std::uint32_t next = 0;     // index of the first node after this one's subtree
  std::uint32_t size = 0;     // members, elements, or bytes of a decoded string
  std::uint32_t decoded = 0;  // of a string with escapes: where in Tree::decoded it begins
  Kind kind = Kind::Null;
  bool flag = false;  // of a string: it has escapes; of a boolean: its value
};
struct Tree {
  std::string_view text;
  std::vector<Node> nodes;  // in document order; a member is its key's node, then its value's
  std::string decoded;
};
class Reader;
}  // namespace detail

class Document;
class Members;
class Elements;

// A light handle on one value of a Document; valid as long as that Document (moving a Document
// keeps its values valid). Asking a value for what it is not is a bug and ends the process, except
// for the `find` and `as_...` functions that answer with an optional.
class Value {
 public:
  Kind kind() const { return node().kind; }
  bool is(Kind k) const { return kind() == k; }

  bool boolean() const;
  std::string_view string() const;               // decoded
  std::string_view number_text() const;          // exactly as written
  std::optional<std::int64_t> as_int64() const;  // nullopt unless a number that is one exactly
  std::optional<double> as_double() const;       // nullopt unless a finite number
  std::optional<std::string_view> as_string() const;
  std::optional<bool> as_boolean() const;

  std::size_t size() const;  // members or elements; 0 for a scalar
  // Of an object; nullopt otherwise. Linear in the number of members.
  std::optional<Value> find(std::string_view key) const;
  // find() along a path of keys: value.at({"params", "arguments"}).
  std::optional<Value> at(std::initializer_list<std::string_view> path) const;
  Members members() const;    // in document order; of an object
  Elements elements() const;  // of an array

  std::string_view raw() const;  // the bytes of this value exactly as written
  std::size_t offset() const;    // of its first byte
  Position position() const;     // linear in the offset: for messages only

 private:
  friend class Document;
  friend class Parser;
  friend class Members;
  friend class Elements;
  Value(const detail::Tree* tree, std::uint32_t index) : tree_(tree), index_(index) {}
  const detail::Node& node() const { return tree_->nodes[index_]; }
  std::string_view decoded_string() const;

  const detail::Tree* tree_ = nullptr;
  std::uint32_t index_ = 0;
};

struct Member {
  std::string_view key;        // decoded
  std::size_t key_offset = 0;  // of its opening quote in the text
  Value value;
};

// for (const auto& [key, key_offset, value] : object.members())
class Members {
 public:
  class iterator {
   public:
    using value_type = Member;
    using difference_type = std::ptrdiff_t;
    iterator() = default;
    Member operator*() const;
    iterator& operator++();
    iterator operator++(int);
    friend bool operator==(const iterator& a, const iterator& b) { return a.index_ == b.index_; }

   private:
    friend class Members;
    iterator(const detail::Tree* tree, std::uint32_t index) : tree_(tree), index_(index) {}
    const detail::Tree* tree_ = nullptr;
    std::uint32_t index_ = 0;
  };

  iterator begin() const { return {object_.tree_, object_.index_ + 1}; }
  iterator end() const { return {object_.tree_, object_.node().next}; }
  std::size_t size() const { return object_.size(); }

 private:
  friend class Value;
  explicit Members(Value object) : object_(object) {}
  Value object_;
};

// for (const Value element : array.elements())
class Elements {
 public:
  class iterator {
   public:
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    iterator() = default;
    Value operator*() const { return {tree_, index_}; }
    iterator& operator++();
    iterator operator++(int);
    friend bool operator==(const iterator& a, const iterator& b) { return a.index_ == b.index_; }

   private:
    friend class Elements;
    iterator(const detail::Tree* tree, std::uint32_t index) : tree_(tree), index_(index) {}
    const detail::Tree* tree_ = nullptr;
    std::uint32_t index_ = 0;
  };

  iterator begin() const { return {array_.tree_, array_.index_ + 1}; }
  iterator end() const { return {array_.tree_, array_.node().next}; }
  std::size_t size() const { return array_.size(); }

 private:
  friend class Value;
  explicit Elements(Value array) : array_(array) {}
  Value array_;
};

// A text together with the values read from it.
class Document {
 public:
  Document(Document&&) noexcept = default;
  Document& operator=(Document&&) noexcept = default;

  Value root() const REMIT_LIFETIMEBOUND { return {&storage_->tree, 0}; }
  std::string_view text() const REMIT_LIFETIMEBOUND { return storage_->tree.text; }

 private:
  friend std::expected<Document, ParseError> parse(std::string text, Limits limits);
  struct Storage {
    std::string text;
    detail::Tree tree;
  };
  explicit Document(std::unique_ptr<Storage> storage) : storage_(std::move(storage)) {}
  std::unique_ptr<Storage> storage_;
};

std::expected<Document, ParseError> parse(std::string text, Limits limits = {});

// Reads many texts one after another and keeps its buffers between them, so that a warm parser
// allocates nothing. Not for two threads at once.
class Parser {
 public:
  explicit Parser(Limits limits = {});
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser();

  // The value is valid until the next parse() and as long as the bytes of `text` are.
  std::expected<Value, ParseError> parse(std::string_view text);

 private:
  std::unique_ptr<detail::Tree> tree_;
  std::unique_ptr<detail::Reader> reader_;
};

// The same value in the one form that is hashed and compared: keys sorted by their bytes, no white
// space, strings with the fewest escapes (see Writer), numbers as written.
std::string canonical(Value value);

}  // namespace remit::json
