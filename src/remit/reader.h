#pragma once

// Reading a YAML tree into types: each question names where it stands ("remits[0].duration"), and a
// wrong answer becomes a Problem, so that all faults of a file are told at once.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "remit/config.h"
#include "remit/yaml.h"

namespace remit::rules {

// A value of the file and the way to it.
struct Item {
  const yaml::Node* node = nullptr;
  std::string path;

  json::Position position() const { return node->position; }
};

class Reader;

// A mapping whose keys were checked. `find` answers nullopt for a key that is absent.
class MapItem {
 public:
  MapItem(const yaml::Node* node, std::string path) : node_(node), path_(std::move(path)) {}
  std::optional<Item> find(std::string_view key) const;
  std::string path_of(std::string_view key) const;
  json::Position position() const { return node_->position; }
  const std::string& path() const { return path_; }

 private:
  const yaml::Node* node_;
  std::string path_;
};

struct NamedItem {
  std::string name;
  json::Position position;  // of the name
  Item value;
};

class Reader {
 public:
  void error(json::Position position, std::string path, std::string message);
  void error(const Item& item, std::string message) {
    error(item.position(), item.path, std::move(message));
  }
  void warn(json::Position position, std::string path, std::string message);

  // Each answers nullopt after it has told the problem.
  std::optional<MapItem> map(const Item& item, std::span<const std::string_view> keys);
  std::optional<std::vector<NamedItem>> open_map(const Item& item);  // any keys
  std::optional<std::vector<Item>> list(const Item& item);
  // One text stands for a list of one.
  std::optional<std::vector<Item>> list_or_one(const Item& item);
  // A scalar, quoted or plain; never empty.
  std::optional<std::string> text(const Item& item);
  std::optional<std::string> text_or_empty(const Item& item);
  std::optional<bool> boolean(const Item& item);
  std::optional<std::uint32_t> integer(const Item& item, std::uint32_t least, std::uint32_t most);
  // "30s", "15m", "1h", "500ms"
  std::optional<std::chrono::milliseconds> duration(const Item& item,
                                                    std::chrono::milliseconds least,
                                                    std::chrono::milliseconds most);
  // Absolute, or with `~/` in front.
  std::optional<std::string> file_path(const Item& item, std::string_view home);
  // The value of a Result that was computed from the item, or its error as a Problem.
  template <class T>
  std::optional<T> take(const Item& item, Result<T> result) {
    if (result) return *std::move(result);
    error(item, std::move(result.error().message));
    return std::nullopt;
  }

  std::vector<Problem> take_problems();  // in the order of the file
  bool failed() const { return failed_; }

 private:
  std::vector<Problem> problems_;
  bool failed_ = false;
};

// ", did you mean `role`?" when one of `known` is close to `word`; empty otherwise.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

}  // namespace remit::rules
