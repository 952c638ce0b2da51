#pragma once

// YAML read strictly into a plain tree with positions, from yaml-cpp's events. What YAML would
// quietly do is refused instead: duplicate keys, merge keys, tags, keys that are not scalars,
// several documents, aliases that multiply. Whether a scalar was quoted is kept, so that the reader
// decides by what it needs, not by what YAML guesses (`no` stays a text where a text is wanted).

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.h"

namespace remit::rules::yaml {

enum class Kind : std::uint8_t { Null, Scalar, Sequence, Map };

struct Entry;

struct Node {
  Kind kind = Kind::Null;
  json::Position position;
  bool quoted = false;         // of a Scalar
  std::string text;            // of a Scalar
  std::vector<Node> items;     // of a Sequence
  std::vector<Entry> entries;  // of a Map, in the order of the file, keys distinct

  const Entry* find(std::string_view key) const;
};

struct Entry {
  std::string key;
  json::Position position;  // of the key
  Node value;
};

// "a list", "a text", ... for messages
std::string_view name_of(Kind kind);

struct Fault {
  json::Position position;
  std::string message;
};

struct Limits {
  std::size_t max_bytes = std::size_t{1} << 20;
  std::size_t max_depth = 32;
  std::size_t max_nodes = 50'000;  // those that aliases copy are counted each time
  std::size_t max_aliases = 64;
};

// `faults` holds all that were found; the tree is whole unless a syntax error cut it short.
struct Tree {
  Node root;
  std::vector<Fault> faults;
  bool cut_short = false;
};

// Never throws, whatever the bytes.
Tree read(std::string_view text, const Limits& limits = {});

}  // namespace remit::rules::yaml
