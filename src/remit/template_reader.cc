// Reading `session:` and `approve:`: from YAML to the JSON that the policy engine judges, its
// findings back to their places in the file, and from there to the template.

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

#include "iam/policy.h"
#include "json/writer.h"
#include "remit/contains.h"
#include "remit/keys.h"
#include "remit/reader.h"
#include "remit/template.h"

namespace remit::rules {
namespace {

constexpr std::string_view kVersion = "2012-10-17";
// Far more than 2,048 characters can hold, and little enough to compare all with all.
constexpr std::size_t kMaxStatements = 100;
constexpr std::size_t kMaxListValues = 300;
constexpr std::size_t kMaxText = 4096;

// Where in the policy a text stands: it decides whether an argument may.
enum class Spot : std::uint8_t { Elsewhere, Resource, ConditionValue };

// Writes YAML as one line of JSON and remembers which byte came from where.
class Transcript {
 public:
  Transcript(Reader& reader, std::span<const Argument> arguments)
      : reader_(reader), arguments_(arguments) {}

  void raw(std::string_view text) { json_ += text; }

  void statement(const Item& item) {
    mark(item.position(), item.path);
    json_ += '{';
    members(item);
    json_ += '}';
  }

  // Without the braces around them.
  void members(const Item& item) {
    const MapItem map(item.node, item.path);
    bool first = true;
    for (const yaml::Entry& entry : item.node->entries) {
      if (!std::exchange(first, false)) json_ += ',';
      key(entry, map.path_of(entry.key));
      const Item value{&entry.value, map.path_of(entry.key)};
      if (entry.key == "Condition")
        condition(value);
      else
        values(value, entry.key == "Resource" ? Spot::Resource : Spot::Elsewhere);
    }
  }

  const std::string& json() const { return json_; }

  // Tells an error of the engine at its place in the file.
  void tell(const iam::PolicyError& error) {
    const std::size_t offset = error.position.column - 1;
    const auto after = std::ranges::upper_bound(marks_, offset, {}, &Mark::offset);
    if (after == marks_.begin()) return;
    const Mark& at = *(after - 1);
    // What a pattern will be bound to is not known yet; the bound policy is compiled again.
    if (!at.sampled) reader_.error(at.position, at.path, error.message);
  }

 private:
  struct Mark {
    std::size_t offset;
    json::Position position;
    std::string path;
    bool sampled = false;  // holds an argument whose sample value is only a guess
  };

  void mark(json::Position position, std::string path, bool sampled = false) {
    marks_.push_back({json_.size(), position, std::move(path), sampled});
  }

  void key(const yaml::Entry& entry, const std::string& path) {
    mark(entry.position, path);
    if (entry.key.find("${arg:") != std::string::npos)
      reader_.error(entry.position, path, "${arg:...} may not stand in a key");
    json::append_string(json_, entry.key);
    json_ += ':';
  }

  void condition(const Item& item) {
    if (item.node->kind != yaml::Kind::Map) return values(item, Spot::Elsewhere);
    braces(item, [&](const Item& by_key) {
      if (by_key.node->kind != yaml::Kind::Map) return values(by_key, Spot::Elsewhere);
      braces(by_key, [&](const Item& list) { values(list, Spot::ConditionValue); });
    });
  }

  template <class Inner>
  void braces(const Item& item, Inner inner) {
    mark(item.position(), item.path);
    const MapItem map(item.node, item.path);
    json_ += '{';
    bool first = true;
    for (const yaml::Entry& entry : item.node->entries) {
      if (!std::exchange(first, false)) json_ += ',';
      key(entry, map.path_of(entry.key));
      inner(Item{&entry.value, map.path_of(entry.key)});
    }
    json_ += '}';
  }

  void values(const Item& item, Spot spot) {
    switch (item.node->kind) {
      case yaml::Kind::Null:
        reader_.error(item, "has no value");
        json_ += "\"\"";
        return;
      case yaml::Kind::Scalar:
        return scalar(item, spot);
      case yaml::Kind::Sequence:
        if (item.node->items.size() > kMaxListValues)
          reader_.error(item, fmt::format("has more than {} values; a session policy that large "
                                          "does not fit STS",
                                          kMaxListValues));
        mark(item.position(), item.path);
        json_ += '[';
        for (std::size_t i = 0; i < item.node->items.size(); ++i) {
          if (i != 0) json_ += ',';
          values({&item.node->items[i], fmt::format("{}[{}]", item.path, i)}, spot);
        }
        json_ += ']';
        return;
      case yaml::Kind::Map:
        return braces(item, [&](const Item& inner) { values(inner, Spot::Elsewhere); });
    }
  }

  // Every scalar is a text: IAM reads "true" and "10" as it reads true and 10.
  void scalar(const Item& item, Spot spot) {
    if (item.node->text.size() > kMaxText)
      reader_.error(item,
                    fmt::format("is longer than {} bytes; STS takes no such policy", kMaxText));
    const auto parts = reader_.take(item, parse_template_text(item.node->text));
    std::string sample;
    bool guessed = false;
    for (const TextPart& part : parts.value_or(std::vector<TextPart>{})) {
      if (!part.argument) {
        sample += part.text;
        continue;
      }
      const Argument* argument = usable(item, spot, part.text);
      sample += argument == nullptr ? "sample" : argument->grammar.sample();
      guessed = guessed || argument == nullptr || argument->grammar.kind() == GrammarKind::Pattern;
    }
    mark(item.position(), item.path, guessed);
    json::append_string(json_, sample);
  }

  const Argument* usable(const Item& item, Spot spot, std::string_view name) {
    if (spot == Spot::Elsewhere) {
      reader_.error(item, fmt::format("${{arg:{}}} may stand in values of Resource and Condition "
                                      "only",
                                      name));
      return nullptr;
    }
    const auto found = std::ranges::find(arguments_, name, &Argument::name);
    if (found != arguments_.end()) return &*found;
    std::vector<std::string_view> names;
    for (const Argument& argument : arguments_) names.push_back(argument.name);
    reader_.error(item, fmt::format("${{arg:{}}} is not among this remit's `arguments`{}", name,
                                    did_you_mean(name, names)));
    return nullptr;
  }

  Reader& reader_;
  std::span<const Argument> arguments_;
  std::string json_;
  std::vector<Mark> marks_;
};

// The statements of `session:`, in whichever of its three forms; empty after a problem.
std::vector<Item> statements_of(Reader& reader, const Item& item) {
  if (item.node->kind == yaml::Kind::Sequence) {
    auto list = *reader.list(item);
    if (list.empty()) reader.error(item, "has no statement; with none the session may do nothing");
    return list;
  }
  if (item.node->kind != yaml::Kind::Map) {
    reader.error(item, fmt::format("must be a list of IAM statements, not {}",
                                   yaml::name_of(item.node->kind)));
    return {};
  }
  if (item.node->find("Statement") == nullptr) return {item};
  const auto document = reader.map(item, keys::kDocument);
  if (const auto version = document->find("Version"); version && version->node->text != kVersion)
    reader.error(*version, "must be 2012-10-17: older versions know no variables");
  return statements_of(reader, *document->find("Statement"));
}

std::vector<TemplateText> texts_of(const yaml::Node& node) {
  std::vector<TemplateText> texts;
  if (node.kind == yaml::Kind::Scalar)
    texts.push_back({parse_template_text(node.text).value_or(std::vector<TextPart>{})});
  for (const yaml::Node& item : node.items)
    std::ranges::move(texts_of(item), std::back_inserter(texts));
  return texts;
}

std::vector<std::string> strings_of(const yaml::Node& node) {
  std::vector<std::string> strings;
  if (node.kind == yaml::Kind::Scalar) strings.push_back(node.text);
  for (const yaml::Node& item : node.items) strings.push_back(item.text);
  return strings;
}

// Of a statement that the engine found right.
TemplateStatement statement_of(const yaml::Node& node) {
  TemplateStatement statement;
  statement.origin.position = node.position;
  for (const yaml::Entry& entry : node.entries) {
    const yaml::Node& value = entry.value;
    if (entry.key == "Sid") statement.origin.sid = value.text;
    if (entry.key == "Effect") statement.deny = value.text == "Deny";
    if (entry.key == "Action" || entry.key == "NotAction") {
      statement.not_action = entry.key == "NotAction";
      statement.actions = strings_of(value);
    }
    if (entry.key == "Resource" || entry.key == "NotResource") {
      statement.not_resource = entry.key == "NotResource";
      statement.resources = texts_of(value);
    }
    if (entry.key != "Condition") continue;
    for (const yaml::Entry& op : value.entries)
      for (const yaml::Entry& key : op.value.entries)
        statement.conditions.push_back({op.key, key.key, texts_of(key.value)});
  }
  return statement;
}

// Keys are told here, with a suggestion; the engine would tell them too, after the first fault.
bool statements_have_form(Reader& reader, const std::vector<Item>& statements,
                          std::span<const std::string_view> keys) {
  bool right = true;
  for (const Item& statement : statements) {
    if (!reader.map(statement, keys)) {
      right = false;
      continue;
    }
    for (const yaml::Entry& entry : statement.node->entries)
      right = right && contains(keys, entry.key);
  }
  return right;
}

std::optional<iam::Policy> compile(Transcript& transcript, std::string name) {
  auto compiled = iam::compile(transcript.json(), iam::PolicyKind::Session, std::move(name));
  if (compiled) return *std::move(compiled);
  for (const iam::PolicyError& error : compiled.error()) transcript.tell(error);
  return std::nullopt;
}

}  // namespace

std::shared_ptr<const SessionTemplate> read_session(Reader& reader, const Item& item,
                                                    std::span<const Argument> arguments,
                                                    std::string_view remit) {
  const std::vector<Item> statements = statements_of(reader, item);
  if (statements.size() > kMaxStatements) {
    reader.error(item, fmt::format("has more than {} statements; a session policy that large does "
                                   "not fit STS",
                                   kMaxStatements));
    return nullptr;
  }
  if (statements.empty() || !statements_have_form(reader, statements, keys::kStatement))
    return nullptr;
  Transcript transcript(reader, arguments);
  transcript.raw(R"({"Version":"2012-10-17","Statement":[)");
  std::vector<TemplateStatement> read;
  for (const Item& statement : statements) {
    if (!read.empty()) transcript.raw(",");
    transcript.statement(statement);
    read.push_back(statement_of(*statement.node));
  }
  transcript.raw("]}");
  compile(transcript, fmt::format("session policy of remit {}", remit));
  return std::make_shared<const SessionTemplate>(std::move(read));
}

std::shared_ptr<const iam::Policy> read_approve(Reader& reader, const Item& item,
                                                std::string_view remit) {
  if (!statements_have_form(reader, {item}, keys::kApprove)) return nullptr;
  if (item.node->find("Action") == nullptr) {
    reader.error(item, "names no Action");
    return nullptr;
  }
  Transcript transcript(reader, {});
  transcript.raw(R"({"Version":"2012-10-17","Statement":{"Effect":"Deny",)");
  if (item.node->find("Resource") == nullptr) transcript.raw(R"("Resource":"*",)");
  transcript.members(item);
  transcript.raw("}}");
  auto policy = compile(transcript, fmt::format("approve of remit {}", remit));
  return policy ? std::make_shared<const iam::Policy>(*std::move(policy)) : nullptr;
}

}  // namespace remit::rules
