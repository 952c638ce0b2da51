#include "gateway/prefetch.h"

#include <array>
#include <variant>

namespace remit::gateway {
namespace {

constexpr int kMostApart = 256;  // milliseconds

}  // namespace

net::Task<> prefetch_sessions(PrefetchParts parts, std::shared_ptr<const rules::Config> config) {
  for (const rules::Remit& remit : config->remits) {
    if (!remit.arguments.empty() || !std::holds_alternative<std::string>(remit.role)) continue;
    auto plan = parts.planner.plan(remit, std::nullopt);
    if (!plan) continue;  // the first call is told why
    std::array<std::byte, 1> jitter{};
    parts.random.fill(jitter);
    co_await net::sleep_for(
        std::chrono::milliseconds(std::to_integer<int>(jitter[0]) * kMostApart / 256));
    auto acquired = co_await parts.sessions.acquire(*plan);
    if (!acquired) {
      parts.log.warn("session.not-prefetched",
                     {{"remit", std::string_view(remit.name)},
                      {"reason", std::string_view(acquired.error().message)}});
      continue;
    }
    if (acquired->reused) continue;
    parts.journal.note(ledger::Kind::SessionMinted, "",
                       Journal::minted(**plan, *acquired->credentials, false));
  }
}

}  // namespace remit::gateway
