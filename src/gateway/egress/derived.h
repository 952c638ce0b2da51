#pragma once

// Credentials that a call asked AWS for while it runs (sts:AssumeRole and its like, S3 Express
// CreateSession). The real ones stay here; the caller gets a placeholder that acts as them through
// egress, under the remit's session policy and whatever the caller itself narrowed it with, until
// the call ends. Internal to src/gateway/egress; docs/derived-sessions.md.

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "aws/identify.h"
#include "aws/sigv4.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "gateway/call.h"
#include "gateway/lane.h"
#include "gateway/session.h"

namespace remit::gateway {

struct Derived {
  std::string access_key_id;  // "ASIAREMIT" and 11 base-32 characters
  Secret secret_access_key;
  Secret session_token;
  TimePoint expires{};
  std::shared_ptr<Lane> lane;
  std::shared_ptr<Call> call;  // the derived one: over with its parent
  // Of a directory bucket, for which alone these are good.
  struct Express {
    std::string bucket_arn;
    bool read_only = false;
  };
  std::optional<Express> express;
};

// A session with a fixed end: nobody but the caller can ask for a new one.
class DerivedSession final : public Session {
 public:
  DerivedSession(const Clock& clock, SessionCredentials credentials);
  std::shared_ptr<const SessionCredentials> current() const override;
  net::Task<Result<std::shared_ptr<const SessionCredentials>>> credentials() override;
  void rejected(const SessionCredentials& credentials) override;

 private:
  const Clock& clock_;
  std::shared_ptr<const SessionCredentials> credentials_;
  std::chrono::steady_clock::time_point end_;
};

// All of them, by access key id. Those of a call go when the call is over.
class DerivedTable : public std::enable_shared_from_this<DerivedTable> {
 public:
  // Makes the placeholder. LimitExceeded when the call has too many.
  Result<std::shared_ptr<const Derived>> add(Random& random, TimePoint now, Derived derived);
  std::shared_ptr<const Derived> find(std::string_view access_key_id) const;
  // Those that act as what fits end now. How many.
  std::size_t end(const std::function<bool(const CallFacts& facts)>& fits);
  std::size_t size() const { return all_.size(); }

  static constexpr std::size_t kMaxOfLane = 128;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, std::shared_ptr<const Derived>, Hash, std::equal_to<>> all_;
};

// Whether an access key id looks like one of a Derived, alive or not.
bool is_derived_key(std::string_view access_key_id);

// The session token that belongs to the key, sent where its kind is sent, and not past its end.
// Denied with what is wrong.
Result<> check_token(const Derived& derived, const http::RequestHead& head,
                     const aws::SignedRequest& request, TimePoint now);

// What S3 Express allows such a session beyond what its policy says: one bucket, and reading only
// when that was asked for. Tells the decision the session's mode. Denied with the reason.
Result<> check_express(const Derived& derived, const http::RequestHead& head,
                       aws::Identified& identified);

}  // namespace remit::gateway
