#include "remit/reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <tuple>
#include <utility>

#include "base/encoding.h"
#include "remit/contains.h"

namespace remit::rules {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j + 1] + 1, row[j] + 1});
    }
  }
  return row.back();
}

struct Unit {
  std::string_view name;
  std::chrono::milliseconds length;
};
constexpr std::array kUnits = {
    Unit{"ms", std::chrono::milliseconds(1)}, Unit{"s", std::chrono::seconds(1)},
    Unit{"m", std::chrono::minutes(1)}, Unit{"h", std::chrono::hours(1)}};

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || text.front() == '+') return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const Unit& known : kUnits)
    if (known.name == unit) return known.length * count;
  return std::nullopt;
}

std::string duration_text(std::chrono::milliseconds length) {
  for (const Unit& unit : {kUnits[3], kUnits[2], kUnits[1]})
    if (length.count() != 0 && length.count() % unit.length.count() == 0)
      return fmt::format("{}{}", length.count() / unit.length.count(), unit.name);
  return fmt::format("{}ms", length.count());
}

// An access key id, wherever it stands:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
bool looks_like_access_key(std::string_view text) {
  for (const std::string_view prefix : {"AKIA", "ASIA"}) {
    for (std::size_t at = text.find(prefix); at != std::string_view::npos;
         at = text.find(prefix, at + 1)) {
      const std::string_view rest = text.substr(at + 4, 16);
      if (rest.size() == 16 && std::ranges::all_of(rest, [](char c) {
            return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
          }))
        return true;
    }
  }
  return false;
}

}  // namespace

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  std::string_view best;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : known) {
    const std::size_t distance = edit_distance(lower_ascii(word), lower_ascii(candidate));
    if (distance >= least) continue;
    least = distance;
    best = candidate;
  }
  return best.empty() ? "" : fmt::format(", did you mean `{}`?", best);
}

std::string MapItem::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

std::optional<Item> MapItem::find(std::string_view key) const {
  const yaml::Entry* entry = node_->find(key);
  if (entry == nullptr) return std::nullopt;
  return Item{&entry->value, path_of(key)};
}

void Reader::error(json::Position position, std::string path, std::string message) {
  failed_ = true;
  problems_.push_back({Problem::Severity::Error, position, std::move(path), std::move(message)});
}

void Reader::warn(json::Position position, std::string path, std::string message) {
  problems_.push_back({Problem::Severity::Warning, position, std::move(path), std::move(message)});
}

std::vector<Problem> Reader::take_problems() {
  std::ranges::sort(problems_, {}, [](const Problem& p) {
    return std::tie(p.position.line, p.position.column, p.path, p.message);
  });
  return std::move(problems_);
}

std::optional<MapItem> Reader::map(const Item& item, std::span<const std::string_view> keys) {
  if (item.node->kind != yaml::Kind::Map) {
    error(item, fmt::format("must be a mapping with {}, not {}", fmt::join(keys, ", "),
                            yaml::name_of(item.node->kind)));
    return std::nullopt;
  }
  const MapItem map(item.node, item.path);
  for (const yaml::Entry& entry : item.node->entries) {
    if (contains(keys, entry.key)) continue;
    const std::string hint = did_you_mean(entry.key, keys);
    error(entry.position, map.path_of(entry.key),
          hint.empty() ? fmt::format("unknown key; known here: {}", fmt::join(keys, ", "))
                       : "unknown key" + hint);
  }
  return map;
}

std::optional<std::vector<NamedItem>> Reader::open_map(const Item& item) {
  if (item.node->kind != yaml::Kind::Map) {
    error(item, fmt::format("must be a mapping, not {}", yaml::name_of(item.node->kind)));
    return std::nullopt;
  }
  const MapItem map(item.node, item.path);
  std::vector<NamedItem> items;
  items.reserve(item.node->entries.size());
  for (const yaml::Entry& entry : item.node->entries)
    items.push_back({entry.key, entry.position, Item{&entry.value, map.path_of(entry.key)}});
  return items;
}

std::optional<std::vector<Item>> Reader::list(const Item& item) {
  if (item.node->kind != yaml::Kind::Sequence) {
    error(item, fmt::format("must be a list, not {}", yaml::name_of(item.node->kind)));
    return std::nullopt;
  }
  std::vector<Item> items;
  items.reserve(item.node->items.size());
  for (std::size_t i = 0; i < item.node->items.size(); ++i)
    items.push_back({&item.node->items[i], fmt::format("{}[{}]", item.path, i)});
  return items;
}

std::optional<std::vector<Item>> Reader::list_or_one(const Item& item) {
  if (item.node->kind == yaml::Kind::Scalar) return std::vector{item};
  return list(item);
}

std::optional<std::string> Reader::text_or_empty(const Item& item) {
  if (item.node->kind == yaml::Kind::Null) {
    error(item, "has no value; a text is wanted (quote it if it is `~` or `null`)");
    return std::nullopt;
  }
  if (item.node->kind != yaml::Kind::Scalar) {
    error(item, fmt::format("must be a text, not {}", yaml::name_of(item.node->kind)));
    return std::nullopt;
  }
  if (looks_like_access_key(item.node->text)) {
    error(item,
          "holds what looks like an AWS access key id; credentials never stand in this file "
          "(aws.base names where they come from)");
    return std::nullopt;
  }
  return item.node->text;
}

std::optional<std::string> Reader::text(const Item& item) {
  auto value = text_or_empty(item);
  if (!value || !value->empty()) return value;
  error(item, "is empty");
  return std::nullopt;
}

std::optional<bool> Reader::boolean(const Item& item) {
  const yaml::Node& node = *item.node;
  if (node.kind == yaml::Kind::Scalar && !node.quoted) {
    if (node.text == "true") return true;
    if (node.text == "false") return false;
  }
  error(item, "must be true or false, written so: without quotes, and not yes, no, on or off");
  return std::nullopt;
}

std::optional<std::uint32_t> Reader::integer(const Item& item, std::uint32_t least,
                                             std::uint32_t most) {
  const yaml::Node& node = *item.node;
  std::uint32_t value = 0;
  const char* end = node.text.data() + node.text.size();
  const bool digits = node.kind == yaml::Kind::Scalar && !node.quoted && !node.text.empty() &&
                      (node.text.size() == 1 || node.text.front() != '0');
  if (digits) {
    const auto [stop, error_code] = std::from_chars(node.text.data(), end, value);
    if (error_code == std::errc{} && stop == end && value >= least && value <= most) return value;
  }
  error(item, fmt::format("must be a whole number from {} to {}", least, most));
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> Reader::duration(const Item& item,
                                                          std::chrono::milliseconds least,
                                                          std::chrono::milliseconds most) {
  const auto written = text(item);
  if (!written) return std::nullopt;
  const auto length = parse_duration(*written);
  if (length && *length >= least && *length <= most) return length;
  error(item, fmt::format("'{}' is no duration from {} to {}; write a number with ms, s, m or h, "
                          "such as 15m",
                          *written, duration_text(least), duration_text(most)));
  return std::nullopt;
}

std::optional<std::string> Reader::file_path(const Item& item, std::string_view home) {
  auto path = text(item);
  if (!path) return std::nullopt;
  if (path->starts_with("~/")) {
    if (home.empty()) {
      error(item, "begins with ~/, but there is no home directory (HOME is not set)");
      return std::nullopt;
    }
    return std::string(home) + path->substr(1);
  }
  if (path->starts_with('/')) return path;
  error(item, fmt::format("'{}' must be absolute or begin with ~/", *path));
  return std::nullopt;
}

}  // namespace remit::rules
