#include "gateway/egress/combined_policy.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "json/json.h"
#include "json/writer.h"

namespace remit::gateway {
namespace {

using Texts = std::vector<std::string>;

std::vector<json::Value> statements_of(json::Value document) {
  std::vector<json::Value> all;
  const auto statements = document.find("Statement");
  if (!statements) return all;
  if (!statements->is(json::Kind::Array)) return {*statements};
  for (const json::Value one : statements->elements()) all.push_back(one);
  return all;
}

Texts texts_of(json::Value value) {
  if (value.is(json::Kind::String)) return {std::string(value.string())};
  Texts texts;
  if (!value.is(json::Kind::Array)) return texts;
  for (const json::Value one : value.elements()) texts.emplace_back(one.string());
  return texts;
}

void write_texts(json::Writer& writer, std::string_view key, const Texts& texts) {
  writer.key(key);
  if (texts.size() == 1) {
    writer.string(texts.front());
    return;
  }
  writer.begin_array();
  for (const std::string& text : texts) writer.string(text);
  writer.end_array();
}

// A deny statement of `theirs` without its Sid, which `ours` may have too.
void copy_statement(json::Writer& writer, json::Value statement) {
  writer.begin_object();
  for (const auto& member : statement.members())
    if (member.key != "Sid") writer.key(member.key).raw(member.value.raw());
  writer.end_object();
}

void write_deny(json::Writer& writer, std::string_view action_key, const Texts& actions,
                std::string_view resource_key, const Texts& resources) {
  writer.begin_object();
  write_texts(writer, action_key, actions);
  writer.key("Effect").string("Deny");
  write_texts(writer, resource_key, resources);
  writer.end_object();
}

const Texts kAll = {"*"};

// What no allow statement names, by one element ("Action" or "Resource"): the element to deny by,
// and its values. nullopt: everything is named, or it cannot be told.
struct Outside {
  std::string key;
  Texts values;
};
std::optional<Outside> outside_of(const std::vector<json::Value>& allows,
                                  const std::string& element) {
  const std::string negated = "Not" + element;
  if (allows.size() == 1) {
    if (const auto left_out = allows.front().find(negated))
      return Outside{element, texts_of(*left_out)};
  }
  Texts named;
  for (const json::Value allow : allows) {
    const auto value = allow.find(element);
    if (!value) return std::nullopt;
    for (std::string& text : texts_of(*value)) named.push_back(std::move(text));
  }
  std::ranges::sort(named);
  const auto doubles = std::ranges::unique(named);
  named.erase(doubles.begin(), doubles.end());
  if (named.empty() || std::ranges::find(named, "*") != named.end()) return std::nullopt;
  return Outside{negated, std::move(named)};
}

}  // namespace

std::string combined_policy(std::string_view ours, std::string_view theirs) {
  const auto own = json::parse(std::string(ours.empty() ? R"({"Statement":[]})" : ours));
  const auto other = json::parse(std::string(theirs));
  if (!own || !other) return {};
  // A policy of the old language takes variables for plain text, which cannot stand beside ours.
  const auto version = other->root().find("Version");
  const bool is_new =
      version && version->is(json::Kind::String) && version->string() == "2012-10-17";
  if (!is_new && theirs.find("${") != std::string_view::npos) return {};

  std::vector<json::Value> allows;
  std::size_t added = 0;
  json::Writer writer;
  writer.begin_object().key("Statement").begin_array();
  for (const json::Value statement : statements_of(own->root())) writer.raw(statement.raw());
  for (const json::Value statement : statements_of(other->root())) {
    const auto effect = statement.find("Effect");
    if (effect && effect->string() == "Allow") {
      allows.push_back(statement);
      continue;
    }
    copy_statement(writer, statement);
    ++added;
  }
  if (allows.empty()) {
    write_deny(writer, "Action", kAll, "Resource", kAll);
    ++added;
  } else {
    if (const auto actions = outside_of(allows, "Action")) {
      write_deny(writer, actions->key, actions->values, "Resource", kAll);
      ++added;
    }
    if (const auto resources = outside_of(allows, "Resource")) {
      write_deny(writer, "Action", kAll, resources->key, resources->values);
      ++added;
    }
  }
  writer.end_array().key("Version").string("2012-10-17").end_object();
  return added == 0 ? std::string() : std::move(writer).take();
}

}  // namespace remit::gateway
