#include "ledger/record.h"

#include <array>
#include <utility>

namespace remit::ledger {
namespace {

constexpr std::array<std::pair<Kind, std::string_view>, 9> kNames{{
    {Kind::GatewayStarted, "gateway-started"},
    {Kind::CallDecided, "call-decided"},
    {Kind::SessionMinted, "session-minted"},
    {Kind::AwsDecided, "aws-decided"},
    {Kind::AwsDone, "aws-done"},
    {Kind::CallDone, "call-done"},
    {Kind::StartupDecided, "startup-decided"},
    {Kind::Revoked, "revoked"},
    {Kind::Refused, "refused"},
}};

void append_number(std::string& out, std::uint64_t number, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    out += static_cast<char>((number >> shift) & 0xFFU);
  }
}

void append_text(std::string& out, std::string_view text) {
  append_number(out, text.size(), 4);
  out += text;
}

}  // namespace

std::string_view name_of(Kind kind) {
  for (const auto& [k, name] : kNames) {
    if (k == kind) return name;
  }
  return "unknown";
}

std::optional<Kind> kind_of(std::string_view name) {
  for (const auto& [kind, n] : kNames) {
    if (n == name) return kind;
  }
  return std::nullopt;
}

Digest Chain::next(const Digest& previous, std::int64_t sequence, TimePoint time,
                   std::string_view kind, std::string_view call, std::string_view body) {
  frame_.assign("remit-ledger-1\n");
  frame_.append(reinterpret_cast<const char*>(previous.data()), previous.size());
  append_number(frame_, static_cast<std::uint64_t>(sequence), 8);
  append_number(frame_, static_cast<std::uint64_t>(time.time_since_epoch().count()), 8);
  append_text(frame_, kind);
  append_text(frame_, call);
  append_text(frame_, body);
  sha_.update(frame_);
  return sha_.finish();
}

}  // namespace remit::ledger
