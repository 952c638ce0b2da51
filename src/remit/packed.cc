#include "remit/packed.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/check.h"
#include "json/json.h"

namespace remit::rules {
namespace {

// Fitted to the observations: percent = slope × bytes + offset.
constexpr double kSlope = 0.27;
constexpr double kOffset = -0.7;

// Words that STS knows and presumably writes as one byte each.
constexpr std::array<std::string_view, 13> kWords = {
    "Version",  "Statement",   "Effect",    "Allow", "Deny",       "Action",    "NotAction",
    "Resource", "NotResource", "Condition", "Sid",   "2012-10-17", "2008-10-17"};

void append_word(std::string& out, std::string_view text) {
  const auto known = std::ranges::find(kWords, text);
  if (known == kWords.end())
    out += text;
  else
    out += static_cast<char>(known - kWords.begin() + 1);
}

void append_tokens(std::string& out, json::Value value) {
  switch (value.kind()) {
    case json::Kind::Object:
      out += '\x1c';
      for (const auto& member : value.members()) {
        append_word(out, member.key);
        append_tokens(out, member.value);
      }
      out += '\x1d';
      break;
    case json::Kind::Array:
      out += '\x1e';
      for (const json::Value element : value.elements()) append_tokens(out, element);
      out += '\x1f';
      break;
    case json::Kind::String:
      append_word(out, value.string());
      break;
    default:
      out += value.raw();
  }
}

std::size_t deflated_size(std::string_view bytes) {
  constexpr int kRaw = -15;
  constexpr int kMemory = 8;
  z_stream stream{};
  REMIT_CHECK(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kRaw, kMemory,
                           Z_DEFAULT_STRATEGY) == Z_OK);
  std::string in(bytes);
  std::string out(deflateBound(&stream, static_cast<uLong>(in.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  const std::size_t size = stream.total_out;
  deflateEnd(&stream);
  REMIT_CHECK(result == Z_STREAM_END);
  return size;
}

}  // namespace

int estimate_packed_percent(std::string_view policy, const std::vector<std::string>& policy_arns,
                            const std::vector<Tag>& tags) {
  std::string tokens;
  if (const auto document = json::parse(std::string(policy)))
    append_tokens(tokens, document->root());
  for (const std::string& arn : policy_arns) tokens += arn;
  for (const Tag& tag : tags) tokens += tag.key + '\0' + tag.value + '\0';
  if (tokens.empty()) return 0;
  const double percent = kSlope * static_cast<double>(deflated_size(tokens)) + kOffset;
  return std::max(0, static_cast<int>(std::lround(percent)));
}

}  // namespace remit::rules
