#include "remit/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <exception>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "base/utf8.h"

namespace remit::rules::yaml {
namespace {

json::Position position_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1};
}

Node node_at(Kind kind, const YAML::Mark& mark) {
  Node node;
  node.kind = kind;
  node.position = position_of(mark);
  return node;
}

// yaml-cpp's handlers cannot answer; this ends its parse from within one.
struct Stop : std::exception {
  explicit Stop(Fault f) : fault(std::move(f)) {}
  Fault fault;
};

std::size_t count_nodes(const Node& node) {
  std::size_t count = 1;
  for (const Node& item : node.items) count += count_nodes(item);
  for (const Entry& entry : node.entries) count += count_nodes(entry.value);
  return count;
}

std::size_t depth_of(const Node& node) {
  std::size_t deepest = 0;
  for (const Node& item : node.items) deepest = std::max(deepest, depth_of(item));
  for (const Entry& entry : node.entries) deepest = std::max(deepest, depth_of(entry.value));
  return deepest + 1;
}

class Builder final : public YAML::EventHandler {
 public:
  Builder(const Limits& limits, std::vector<Fault>& faults) : limits_(limits), faults_(faults) {}

  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(node_at(Kind::Null, mark), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (++aliases_ > limits_.max_aliases)
      stop(mark, fmt::format("more than {} aliases", limits_.max_aliases));
    const auto found = anchored_.find(anchor);
    if (found == anchored_.end()) stop(mark, "an alias inside of the value that it names");
    Node copy = found->second;
    count(mark, count_nodes(copy));
    if (open_.size() + depth_of(copy) > limits_.max_depth) too_deep(mark);
    // Where the alias stands is where a person must look.
    copy.position = position_of(mark);
    place(std::move(copy));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    Node scalar = node_at(Kind::Scalar, mark);
    scalar.quoted = tag == "!";
    scalar.text = value;
    add(std::move(scalar), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Kind::Sequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Kind::Map);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor;
    std::optional<Entry> entry;  // of a map: the key that waits for its value
    bool dropped = false;        // the waiting entry has no usable key: read and forget its value
  };

  [[noreturn]] static void stop(const YAML::Mark& mark, std::string message) {
    throw Stop({position_of(mark), std::move(message)});
  }
  [[noreturn]] void too_deep(const YAML::Mark& mark) const {
    stop(mark, fmt::format("nested deeper than {} levels", limits_.max_depth));
  }

  void count(const YAML::Mark& mark, std::size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > limits_.max_nodes)
      stop(mark, fmt::format("more than {} values, aliases counted each time", limits_.max_nodes));
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    faults_.push_back({position_of(mark),
                       "tags such as !!str are not used here; quote a text "
                       "that could be mistaken for something else"});
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Kind kind) {
    refuse_tag(mark, tag);
    count(mark, 1);
    if (open_.size() + 1 > limits_.max_depth) too_deep(mark);
    open_.push_back(Open{node_at(kind, mark), anchor, std::nullopt, false});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    if (done.anchor != 0) anchored_.insert_or_assign(done.anchor, done.node);
    place(std::move(done.node));
  }

  void add(Node node, YAML::anchor_t anchor) {
    if (++nodes_ > limits_.max_nodes)
      throw Stop({node.position, fmt::format("more than {} values", limits_.max_nodes)});
    if (anchor != 0) anchored_.insert_or_assign(anchor, node);
    place(std::move(node));
  }

  void place(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Kind::Sequence) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.entry) {
      take_key(parent, std::move(node));
    } else {
      parent.entry->value = std::move(node);
      if (!parent.dropped) parent.node.entries.push_back(std::move(*parent.entry));
      parent.entry.reset();
    }
  }

  void take_key(Open& map, Node key) {
    map.dropped = true;
    map.entry = Entry{.key = key.text, .position = key.position, .value = {}};
    if (key.kind != Kind::Scalar) {
      faults_.push_back({key.position, "a key must be a plain or quoted text"});
    } else if (key.text == "<<" && !key.quoted) {
      faults_.push_back({key.position, "merge keys (<<) are not used here; write the keys out"});
    } else if (const Entry* first = map.node.find(key.text)) {
      faults_.push_back(
          {key.position, fmt::format("duplicate key '{}'; it stands on line {} already", key.text,
                                     first->position.line)});
    } else {
      map.dropped = false;
    }
  }

  const Limits& limits_;
  std::vector<Fault>& faults_;
  Node root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchored_;
  std::size_t nodes_ = 0;
  std::size_t aliases_ = 0;
};

// yaml-cpp would guess UTF-16 from zero bytes and read control characters in its own way.
std::optional<Fault> unreadable(std::string_view text, const Limits& limits) {
  if (text.size() > limits.max_bytes)
    return Fault{{}, fmt::format("longer than {} bytes", limits.max_bytes)};
  json::Position at;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) return Fault{at, "not valid UTF-8"};
    if ((byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F)
      return Fault{at, fmt::format("control character U+{:04X}", byte)};
    i += length;
    at.column += length;
    if (byte == '\n') at = {at.line + 1, 1};
  }
  return std::nullopt;
}

// Reads what is left; several documents are one fault.
void parse(std::string_view text, Builder& builder, std::vector<Fault>& faults) {
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  if (!parser.HandleNextDocument(builder)) return;
  std::vector<Fault> ignored;
  const Limits limits;
  Builder second(limits, ignored);
  if (parser.HandleNextDocument(second)) {
    const Node root = second.take();
    faults.push_back({root.position, "a second document; the file must hold one"});
  }
}

}  // namespace

const Entry* Node::find(std::string_view key) const {
  for (const Entry& entry : entries)
    if (entry.key == key) return &entry;
  return nullptr;
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::Null:
      return "nothing";
    case Kind::Scalar:
      return "a text";
    case Kind::Sequence:
      return "a list";
    case Kind::Map:
      return "a mapping";
  }
  return "";
}

Tree read(std::string_view text, const Limits& limits) {
  Tree tree;
  if (auto fault = unreadable(text, limits)) {
    tree.faults.push_back(*std::move(fault));
    tree.cut_short = true;
    return tree;
  }
  Builder builder(limits, tree.faults);
  try {
    parse(text, builder, tree.faults);
    tree.root = builder.take();
  } catch (const Stop& stop) {
    tree.faults.push_back(stop.fault);
    tree.cut_short = true;
  } catch (const YAML::Exception& error) {
    tree.faults.push_back({position_of(error.mark), "not valid YAML: " + error.msg});
    tree.cut_short = true;
  } catch (const std::exception& error) {
    tree.faults.push_back({{}, fmt::format("not valid YAML: {}", error.what())});
    tree.cut_short = true;
  }
  return tree;
}

}  // namespace remit::rules::yaml
