#pragma once

// Writes JSON (RFC 8259) into a string, minified. Commas and colons come by themselves; writing
// what cannot stand where it is written (a value where a key must be) is a bug and ends the
// process.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace remit::json {

// Appends `text` as a JSON string with its quotes. Escapes only what must be: quote, backslash and
// control characters. Invalid UTF-8 becomes U+FFFD, so that what is written is always valid JSON.
void append_string(std::string& out, std::string_view text);

class Writer {
 public:
  Writer() = default;
  // Appends to `out`, for callers that reuse a buffer.
  explicit Writer(std::string out) : out_(std::move(out)), size_(out_.size()) {}

  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(std::string_view name);
  Writer& string(std::string_view text);
  Writer& integer(std::int64_t number);
  Writer& boolean(bool value);
  Writer& null();
  Writer& raw(std::string_view json);  // bytes that are one JSON value already

  std::size_t size() const { return size_; }  // bytes so far

  // Ends the process unless exactly one whole value was written.
  std::string take() &&;

 private:
  enum class Place : char { FirstElement, LaterElement, FirstKey, LaterKey, Member };
  Place top() const { return static_cast<Place>(open_.back()); }
  void set_top(Place place) { open_.back() = static_cast<char>(place); }
  void push(Place place) { open_.push_back(static_cast<char>(place)); }
  void before_value();
  void end(bool object, char close);
  char* room(std::size_t size);
  void put(char c);
  void put(std::string_view bytes);
  void put_string(std::string_view text);

  std::string out_;       // has room behind what was written: growing it bit by bit costs more
  std::size_t size_ = 0;  // of what was written
  std::string open_;      // of Place; a string, because the usual depth then needs no allocation
  bool done_ = false;
};

}  // namespace remit::json
