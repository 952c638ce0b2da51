#include "gateway/toolbox.h"

#include <fmt/format.h>

#include <charconv>
#include <set>
#include <utility>

#include "json/writer.h"
#include "mcp/framing.h"
#include "mcp/splice.h"
#include "remit/authorise.h"

namespace remit::gateway {
namespace {

constexpr std::size_t kMaxName = 128;

bool usable(std::string_view name) {
  if (name.empty() || name.size() > kMaxName) return false;
  for (const char c : name) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F) return false;
  }
  return true;
}

// "<generation>.<offset>"; nullopt for anything else.
std::optional<std::pair<std::uint64_t, std::size_t>> parse_cursor(std::string_view text) {
  std::uint64_t generation = 0;
  std::size_t offset = 0;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, generation);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '.') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, offset);
  if (second.ec != std::errc{} || second.ptr != end) return std::nullopt;
  return std::pair(generation, offset);
}

}  // namespace

bool Toolbox::set(std::string_view upstream, const std::vector<std::string>& definitions) {
  std::map<std::string, std::shared_ptr<const Tool>, std::less<>> fresh;
  for (const auto& [exposed, tool] : tools_) {
    if (tool->upstream != upstream) fresh.emplace(exposed, tool);
  }
  const bool prefixed = config_->upstreams.size() > 1;
  for (const auto& definition : definitions) {
    auto document = json::parse(definition);
    const auto name = document ? document->root().find("name") : std::nullopt;
    if (!name || !name->is(json::Kind::String) || !usable(name->string())) {
      log_.warn("tool.unusable", {{"upstream", upstream}});
      continue;
    }
    Tool tool{.exposed = prefixed ? fmt::format("{}__{}", upstream, name->string())
                                  : std::string(name->string()),
              .upstream = std::string(upstream),
              .name = std::string(name->string()),
              .definition = {},
              .parsed = nullptr,
              .remit = rules::find_remit(*config_, upstream, name->string())};
    if (tool.remit == nullptr) continue;
    std::string exposed;
    json::append_string(exposed, tool.exposed);
    mcp::Splice splice(document->root());
    splice.replace(*name, exposed);
    tool.definition = mcp::one_line(splice.take());
    tool.parsed = std::make_shared<const json::Document>(*json::parse(tool.definition));
    const std::string key = tool.exposed;
    if (!fresh.emplace(key, std::make_shared<const Tool>(std::move(tool))).second) {
      log_.warn("tool.twice", {{"tool", std::string_view(key)}});
    }
  }
  bool same = fresh.size() == tools_.size();
  for (auto a = fresh.begin(), b = tools_.begin(); same && a != fresh.end(); ++a, ++b) {
    same = a->first == b->first && a->second->definition == b->second->definition;
  }
  tools_ = std::move(fresh);
  if (!same) ++generation_;
  return !same;
}

std::shared_ptr<const Tool> Toolbox::find(std::string_view exposed) const {
  const auto found = tools_.find(exposed);
  return found == tools_.end() ? nullptr : found->second;
}

Result<std::string> Toolbox::page(std::optional<std::string_view> cursor) const {
  std::size_t offset = 0;
  if (cursor) {
    const auto parsed = parse_cursor(*cursor);
    if (!parsed || parsed->first != generation_ || parsed->second >= tools_.size()) {
      return fail(ErrorCode::InvalidInput, "unknown cursor: list again from the start");
    }
    offset = parsed->second;
  }
  json::Writer w;
  w.begin_object().key("tools").begin_array();
  std::size_t index = 0;
  for (const auto& [exposed, tool] : tools_) {
    if (index >= offset + kPage) break;
    if (index++ >= offset) w.raw(tool->definition);
  }
  w.end_array();
  if (offset + kPage < tools_.size()) {
    w.key("nextCursor").string(fmt::format("{}.{}", generation_, offset + kPage));
  }
  w.end_object();
  return std::move(w).take();
}

}  // namespace remit::gateway
