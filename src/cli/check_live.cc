#include "cli/check_live.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "gateway/aws_access.h"
#include "net/task.h"
#include "remit/preflight.h"
#include "remit/session.h"
#include "remit/sources.h"

namespace remit::cli {
namespace {

struct Probe {
  const rules::Remit* remit;
  std::optional<std::string> role_value;
};

std::vector<Probe> probes_of(const rules::Config& config) {
  std::vector<Probe> probes;
  const auto add = [&](const rules::Remit& remit) {
    const auto* choice = std::get_if<rules::RoleByArgument>(&remit.role);
    if (choice == nullptr) {
      probes.push_back({&remit, std::nullopt});
      return;
    }
    for (const auto& [value, role] : choice->map) probes.push_back({&remit, value});
  };
  for (const rules::Upstream& upstream : config.upstreams)
    if (upstream.startup) add(*upstream.startup);
  for (const rules::Remit& remit : config.remits) add(remit);
  return probes;
}

// Asks STS on a loop of its own, one probe after the other.
class Live {
 public:
  explicit Live(const rules::Config& config) : config_(config) {}

  Result<std::vector<LiveResult>> run() {
    REMIT_TRY(access_, gateway::AwsAccess::open(loop_, config_, {clock_, random_, log_}));
    net::spawn(loop_, ask_all());
    loop_.run();
    if (!outcome_) return std::unexpected(outcome_.error());
    return std::move(results_);
  }

 private:
  net::Task<> ask_all() {
    auto credentials = co_await access_->base().get();
    if (!credentials) {
      outcome_ = wrap("base credentials", credentials.error());
    } else {
      credentials_ = *std::move(credentials);
      auto caller = co_await access_->sts().caller_identity(*credentials_);
      if (caller) caller_ = caller->arn;
      for (const Probe& probe : probes_of(config_)) co_await ask(probe);
    }
    loop_.stop();
  }

  net::Task<> ask(Probe probe) {
    LiveResult result;
    result.remit = probe.remit->name;
    auto plan = rules::plan_session(config_, *probe.remit,
                                    rules::sample_arguments(*probe.remit, probe.role_value));
    if (!plan) {
      result.message = plan.error().message;
      result.mend = "its arguments have no value that can be tried; prove it by a call";
      results_.push_back(std::move(result));
      co_return;
    }
    result.role = plan->role;
    aws::AssumeRoleRequest request = rules::assume_role_request(*plan);
    auto assumed = co_await access_->sts().assume_role(*credentials_, std::move(request));
    if (assumed) {
      result.ok = true;
      result.packed_percent = assumed->packed_policy_percent;
      result.session_arn = assumed->arn;
    } else {
      result.message = assumed.error().message;
      if (assumed.error().code == ErrorCode::Denied) co_await find_missing(*plan, result.mend);
      if (assumed.error().code == ErrorCode::LimitExceeded)
        result.mend = "make the session policy shorter, or use fewer tags";
    }
    results_.push_back(std::move(result));
  }

  // Asks with less until STS agrees: what was left out last is what is not permitted.
  net::Task<> find_missing(const rules::SessionPlan& plan, std::string& mend) {
    const std::string who = caller_.empty() ? "the base credentials' principal" : caller_;
    if (plan.source_identity) {
      aws::AssumeRoleRequest request = rules::assume_role_request(plan);
      request.source_identity.clear();
      auto assumed = co_await access_->sts().assume_role(*credentials_, std::move(request));
      if (assumed) {
        mend = fmt::format(
            "allow sts:SetSourceIdentity to {} in the role's trust policy (and, "
            "across accounts, in its own policies)",
            who);
        co_return;
      }
    }
    aws::AssumeRoleRequest bare = rules::assume_role_request(plan);
    bare.source_identity.clear();
    bare.tags.clear();
    bare.transitive_tag_keys.clear();
    auto assumed = co_await access_->sts().assume_role(*credentials_, std::move(bare));
    if (assumed)
      mend = fmt::format(
          "allow sts:TagSession{} to {} in the role's trust policy (and, across "
          "accounts, in its own policies)",
          plan.source_identity ? " and sts:SetSourceIdentity" : "", who);
    else
      mend = fmt::format(
          "allow sts:AssumeRole, sts:TagSession{} to {} in the role's trust policy, "
          "and sts:AssumeRole on the role in its own policies; see that the role "
          "exists{}",
          plan.source_identity ? " and sts:SetSourceIdentity" : "", who,
          plan.external_id ? " and that the external id is right" : "");
  }

  const rules::Config& config_;
  SystemClock clock_;
  SystemRandom random_;
  NoLog log_;
  net::Loop loop_{net::kOneThread};
  std::unique_ptr<gateway::AwsAccess> access_;
  std::shared_ptr<const aws::Credentials> credentials_;
  std::string caller_;
  Result<> outcome_;
  std::vector<LiveResult> results_;
};

}  // namespace

Result<std::vector<LiveResult>> check_live(const rules::Config& config) {
  return Live(config).run();
}

std::string to_text(const LiveResult& result) {
  if (result.ok)
    return fmt::format("{}: STS gave a session of {}{}", result.remit, result.role,
                       result.packed_percent
                           ? fmt::format("; {} % of the packed limit", *result.packed_percent)
                           : "");
  std::string text =
      fmt::format("{}: STS gave no session of {}: {}", result.remit, result.role, result.message);
  if (!result.mend.empty()) text += "\n  to mend it: " + result.mend;
  return text;
}

void write_json(json::Writer& writer, const LiveResult& result) {
  writer.begin_object();
  writer.key("remit").string(result.remit);
  writer.key("role").string(result.role);
  writer.key("ok").boolean(result.ok);
  if (result.ok) {
    writer.key("session").string(result.session_arn);
    if (result.packed_percent) writer.key("packedPercent").integer(*result.packed_percent);
  } else {
    writer.key("message").string(result.message);
    writer.key("mend").string(result.mend);
  }
  writer.end_object();
}

}  // namespace remit::cli
