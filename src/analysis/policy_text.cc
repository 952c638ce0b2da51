#include "analysis/policy_text.h"

#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "json/writer.h"

namespace remit::analysis {
namespace {

using Places = std::vector<std::pair<std::size_t, json::Position>>;

// Within a character of UTF-8, whose columns are those of its first byte.
bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

json::Position position_of(const YAML::Mark& mark) {
  return {static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1};
}

// The readers count bytes, people and SARIF count characters. `places` in any order.
void count_characters(std::string_view text, Places& places) {
  std::vector<std::size_t> lines{0};
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n') lines.push_back(i + 1);
  for (auto& [offset, position] : places) {
    if (position.line == 0 || position.line > lines.size()) continue;
    const std::string_view before =
        text.substr(lines[position.line - 1]).substr(0, position.column - 1);
    position.column -= static_cast<std::size_t>(std::ranges::count_if(before, continues_character));
  }
}

// Writes a YAML document's events as JSON and notes where each node stood.
class ToJson final : public YAML::EventHandler {
 public:
  explicit ToJson(std::string& out, Places& places) : out_(out), places_(places) {}

  const std::optional<json::ParseError>& error() const { return error_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    begin(mark, "", anchor);
    if (at_key()) refuse(mark, "a key must be a string");
    out_ += "null";
    end();
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "an alias (*name) stands here: write the value itself");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const bool quoted = tag == "!";
    begin(mark, quoted ? "" : tag, anchor);
    if (!quoted && !at_key() && is_json_scalar(value)) {
      out_ += value;
    } else {
      json::append_string(out_, value);
    }
    end();
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, '[');
  }
  void OnSequenceEnd() override { close(']'); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, '{');
  }
  void OnMapEnd() override { close('}'); }

 private:
  struct Level {
    bool map = false;
    std::size_t nodes = 0;  // written so far; in a map keys and values in turn
  };

  // Plain text that is a number, true, false or null in JSON too. Dates such as 2012-10-17 are
  // text.
  static bool is_json_scalar(const std::string& value) {
    const auto document = json::parse(value);
    return document && document->root().raw() == value &&
           !document->root().is(json::Kind::String) && !document->root().is(json::Kind::Array) &&
           !document->root().is(json::Kind::Object);
  }

  bool at_key() const {
    return !levels_.empty() && levels_.back().map && levels_.back().nodes % 2 == 0;
  }

  void begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (!tag.empty() && tag != "?") {
      refuse(mark, "the tag " + tag + " stands here: a policy has plain values only");
    }
    if (anchor != YAML::NullAnchor)
      refuse(mark, "an anchor (&name) stands here: policies have none");
    if (!levels_.empty()) {
      const Level& level = levels_.back();
      if (level.map && level.nodes % 2 == 1) {
        out_ += ':';
      } else if (level.nodes != 0) {
        out_ += ',';
      }
    }
    places_.emplace_back(out_.size(), position_of(mark));
  }

  void end() {
    if (!levels_.empty()) ++levels_.back().nodes;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, char bracket) {
    constexpr std::size_t kMostDepth = 64;
    if (at_key()) refuse(mark, "a key must be a string");
    begin(mark, tag == "!" ? "" : tag, anchor);
    if (levels_.size() >= kMostDepth) refuse(mark, "more than 64 levels");
    levels_.push_back({bracket == '{'});
    out_ += bracket;
  }

  void close(char bracket) {
    levels_.pop_back();
    out_ += bracket;
    end();
  }

  void refuse(const YAML::Mark& mark, std::string message) {
    if (!error_) error_ = json::ParseError{position_of(mark), 0, std::move(message)};
  }

  std::string& out_;
  Places& places_;
  std::vector<Level> levels_;
  std::optional<json::ParseError> error_;
};

}  // namespace

TextForm form_of(std::string_view file_name) {
  return file_name.ends_with(".yaml") || file_name.ends_with(".yml") ? TextForm::Yaml
                                                                     : TextForm::Json;
}

std::expected<PolicyText, json::ParseError> PolicyText::read(std::string text, TextForm form) {
  if (form == TextForm::Yaml) return read_yaml(text);
  auto document = json::parse(std::move(text));
  if (!document) return std::unexpected(std::move(document).error());
  return PolicyText(*std::move(document));
}

std::expected<PolicyText, json::ParseError> PolicyText::read_yaml(const std::string& text) {
  std::string out;
  Places places;
  try {
    std::istringstream in(text);
    YAML::Parser parser(in);
    ToJson handler(out, places);
    if (!parser.HandleNextDocument(handler)) {
      return std::unexpected(json::ParseError{{}, 0, "the text is empty: expected a policy"});
    }
    if (handler.error()) return std::unexpected(*handler.error());
    std::string more;
    Places ignored;
    ToJson second(more, ignored);
    if (parser.HandleNextDocument(second)) {
      return std::unexpected(
          json::ParseError{ignored.empty() ? json::Position{} : ignored.front().second, 0,
                           "a second document stands in the file: one policy a file"});
    }
  } catch (const YAML::Exception& error) {
    return std::unexpected(json::ParseError{position_of(error.mark), 0, error.msg});
  }
  auto document = json::parse(out);
  if (!document) {
    json::ParseError error = std::move(document).error();
    const auto place = std::ranges::upper_bound(places, error.offset, {},
                                                &std::pair<std::size_t, json::Position>::first);
    if (place != places.begin()) error.position = std::prev(place)->second;
    return std::unexpected(std::move(error));
  }
  PolicyText policy(*std::move(document));
  count_characters(text, places);
  policy.places_ = std::move(places);
  return policy;
}

json::Position in_characters(std::string_view text, json::Position position) {
  Places one{{0, position}};
  count_characters(text, one);
  return one.front().second;
}

std::vector<json::Position> PolicyText::positions(const std::vector<std::size_t>& offsets) const {
  std::vector<json::Position> positions;
  positions.reserve(offsets.size());
  if (!places_.empty()) {
    for (const std::size_t offset : offsets) {
      const auto place = std::ranges::upper_bound(places_, offset, {},
                                                  &std::pair<std::size_t, json::Position>::first);
      positions.push_back(place == places_.begin() ? json::Position{} : std::prev(place)->second);
    }
    return positions;
  }
  json::Position at;
  std::size_t read = 0;
  for (const std::size_t offset : offsets) {
    for (; read < offset && read < text().size(); ++read) {
      if (text()[read] == '\n') {
        ++at.line;
        at.column = 1;
      } else if (!continues_character(text()[read])) {
        ++at.column;
      }
    }
    positions.push_back(at);
  }
  return positions;
}

}  // namespace remit::analysis
