#include "gateway/egress/queue_urls.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"

namespace remit::gateway {
namespace {

constexpr std::size_t kAccountDigits = 12;

bool is_account_path(std::string_view path) {
  return path.size() > kAccountDigits + 1 && path.front() == '/' &&
         path[kAccountDigits + 1] == '/' &&
         std::ranges::all_of(path.substr(1, kAccountDigits),
                             [](char c) { return c >= '0' && c <= '9'; });
}

// The length of http(s)://HOST at the beginning of a queue's URL; 0 when it is none.
std::size_t base_size(std::string_view text) {
  std::size_t scheme = 0;
  for (const std::string_view each : {"http://", "https://"}) {
    if (text.starts_with(each)) scheme = each.size();
  }
  if (scheme == 0) return 0;
  const std::size_t end = std::min(text.find_first_of("/\"<&\\ ", scheme), text.size());
  return is_account_path(text.substr(end)) ? end : 0;
}

// The base of the member QueueUrl, wherever it stands: what else a message says is not ours to
// change.
bool replace_in_json(std::string& text, std::string_view own, std::string_view base) {
  constexpr std::string_view kMember = "\"QueueUrl\"";
  bool any = false;
  for (std::size_t at = 0; (at = text.find(kMember, at)) != text.npos;) {
    at = text.find_first_not_of(" \t\r\n", at + kMember.size());
    if (at == text.npos || text[at] != ':') continue;
    at = text.find_first_not_of(" \t\r\n", at + 1);
    if (at == text.npos || text[at] != '"') continue;
    if (!std::string_view(text).substr(++at).starts_with(std::string(own) + "/")) continue;
    text.replace(at, own.size(), base);
    any = true;
  }
  return any;
}

bool replace_in_form(std::string& text, std::string_view own, std::string_view base) {
  constexpr std::string_view kParameter = "QueueUrl=";
  const std::string from = uri_encode(std::string(own) + "/", Slash::Encode);
  for (std::size_t at = 0; (at = text.find(kParameter, at)) != text.npos;) {
    const bool begins = at == 0 || text[at - 1] == '&';
    at += kParameter.size();
    if (!begins || !std::string_view(text).substr(at).starts_with(from)) continue;
    text.replace(at, from.size(), uri_encode(std::string(base) + "/", Slash::Encode));
    return true;
  }
  return false;
}

}  // namespace

bool gives_queue_urls(const aws::Identified& identified) {
  constexpr std::array<std::string_view, 4> kOperations = {
      "CreateQueue", "GetQueueUrl", "ListQueues", "ListDeadLetterSourceQueues"};
  return identified.service == "sqs" &&
         std::ranges::find(kOperations, identified.operation) != kOperations.end();
}

std::string with_queue_base(std::string_view text, std::string_view base) {
  std::string out;
  while (!text.empty()) {
    const std::size_t begin = text.find_first_of("\">");
    if (begin == text.npos) break;
    out.append(text, 0, begin + 1);
    text.remove_prefix(begin + 1);
    if (const std::size_t size = base_size(text); size != 0) {
      out.append(base);
      text.remove_prefix(size);
    }
  }
  return out.append(text);
}

bool restore_queue_base(std::string& text, std::string_view own, std::string_view base) {
  return replace_in_json(text, own, base) || replace_in_form(text, own, base);
}

}  // namespace remit::gateway
