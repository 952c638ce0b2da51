#pragma once

#include <cstdint>
#include <expected>
#include <string_view>
#include <utility>
#include <vector>

#include "json/json.h"

namespace remit::json::detail {

// Reads one text into a Tree, in one pass and without recursion. Keeps its buffers between texts.
// Why it is our own: docs/decisions/0006-own-json-reader.md.
class Reader {
 public:
  explicit Reader(Limits limits);
  std::expected<void, ParseError> read(std::string_view text, Tree& tree);

 private:
  // Each step leaves at_ after what it read, or notes the error and answers false.
  bool refuse(const char* where, std::string message);
  bool refuse_unexpected(std::string_view wanted);
  bool refuse_long_or_marked();
  void skip_space();
  bool begin_value();
  bool next_member_or_end(std::uint32_t object);
  bool next_element_or_end(std::uint32_t array);
  bool close();
  bool literal(std::string_view word, Kind kind, bool flag);
  bool number();
  bool string();
  bool escapes(const char* begin);
  bool escape();
  bool unicode_escape();
  std::optional<unsigned> four_hex_digits();
  bool refuse_duplicates(std::uint32_t object);
  bool refuse_key(std::uint32_t key);
  Node& add(Kind kind, const char* begin, const char* end);
  std::uint32_t offset(const char* p) const { return static_cast<std::uint32_t>(p - begin_); }

  Limits limits_;
  Tree* tree_ = nullptr;
  const char* begin_ = nullptr;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  std::size_t values_ = 0;
  std::vector<std::uint32_t> open_;  // nodes of the arrays and objects that are not yet closed
  std::vector<std::pair<std::string_view, std::uint32_t>> keys_;  // scratch of the duplicate check
  std::size_t error_offset_ = 0;
  std::string error_;
};

std::string_view string_of(const Tree& tree, const Node& node);

}  // namespace remit::json::detail
