#include "mcp/splice.h"

#include <algorithm>
#include <utility>

#include "json/writer.h"

namespace remit::mcp {
namespace {

std::string text_block(std::string_view text) {
  json::Writer w;
  w.begin_object().key("type").string("text").key("text").string(text).end_object();
  return std::move(w).take();
}

std::string member(std::string_view key, std::string_view json) {
  std::string text;
  json::append_string(text, key);
  text += ':';
  text += json;
  return text;
}

}  // namespace

void Splice::replace(json::Value inner, std::string_view json) {
  edits_.push_back({inner.offset(), inner.raw().size(), edits_.size(), std::string(json)});
}

void Splice::insert_before_end(json::Value container, std::string text) {
  const std::size_t end = container.offset() + container.raw().size() - 1;
  const bool first = container.size() == 0 && std::ranges::find(grown_, end) == grown_.end();
  if (first) grown_.push_back(end);
  edits_.push_back({end, 0, edits_.size(), first ? std::move(text) : "," + text});
}

void Splice::set(json::Value object, std::string_view key, std::string_view json) {
  if (const auto there = object.find(key)) return replace(*there, json);
  insert_before_end(object, member(key, json));
}

void Splice::append(json::Value array, std::string_view json) {
  insert_before_end(array, std::string(json));
}

std::string Splice::take() const {
  auto edits = edits_;
  std::ranges::sort(edits, [](const Edit& a, const Edit& b) {
    return std::pair(a.at, a.order) < std::pair(b.at, b.order);
  });
  const std::string_view text = whole_.raw();
  std::string out;
  std::size_t done = 0;
  for (const auto& edit : edits) {
    const std::size_t at = edit.at - whole_.offset();
    out += text.substr(done, at - done);
    out += edit.text;
    done = at + edit.length;
  }
  out += text.substr(done);
  return out;
}

std::string forward_call_params(json::Value params, std::string_view tool,
                                std::optional<std::int64_t> progress_token) {
  Splice splice(params);
  std::string name;
  json::append_string(name, tool);
  splice.set(params, "name", name);
  const auto token = params.at({"_meta", "progressToken"});
  if (token && progress_token) splice.replace(*token, std::to_string(*progress_token));
  return splice.take();
}

std::string finish_tool_result(json::Value result, std::span<const std::string> texts,
                               std::string_view receipt) {
  Splice splice(result);
  if (!texts.empty()) {
    const auto content = result.find("content");
    if (content && content->is(json::Kind::Array)) {
      for (const auto& text : texts) splice.append(*content, text_block(text));
    } else {
      json::Writer w;
      w.begin_array();
      for (const auto& text : texts) w.raw(text_block(text));
      w.end_array();
      splice.set(result, "content", std::move(w).take());
    }
  }
  if (!receipt.empty()) {
    const auto meta = result.find("_meta");
    if (meta && meta->is(json::Kind::Object)) {
      splice.set(*meta, "remit/receipt", receipt);
    } else {
      splice.set(result, "_meta", "{" + member("remit/receipt", receipt) + "}");
    }
  }
  return splice.take();
}

}  // namespace remit::mcp
