#pragma once

// A policy document as people keep it: JSON, or YAML as templates and configurations have it. YAML
// is read into the same strict tree: one document, no anchors, no tags, no repeated keys.

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/json.h"

namespace remit::analysis {

enum class TextForm : bool { Json, Yaml };
TextForm form_of(std::string_view file_name);  // by its ending: .yaml and .yml

// Of a position that counts bytes, as those of errors do: one that counts characters.
json::Position in_characters(std::string_view text, json::Position position);

class PolicyText {
 public:
  // Positions of an error count bytes.
  static std::expected<PolicyText, json::ParseError> read(std::string text, TextForm form);

  json::Value root() const { return document_.root(); }
  std::string_view text() const { return document_.text(); }  // JSON, of YAML as converted

  // Where these offsets of text() stand in the file, columns in characters; `offsets` in ascending
  // order.
  std::vector<json::Position> positions(const std::vector<std::size_t>& offsets) const;

 private:
  explicit PolicyText(json::Document document) : document_(std::move(document)) {}
  static std::expected<PolicyText, json::ParseError> read_yaml(const std::string& text);

  json::Document document_;
  // Of YAML: where each value and key of the converted text stands in the file.
  std::vector<std::pair<std::size_t, json::Position>> places_;
};

}  // namespace remit::analysis
