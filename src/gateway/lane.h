#pragma once

// A lane as egress sees it: the placeholder that signs its requests, and the call now in force.
// The process behind a lane is the business of lane_process.h; egress needs nothing of it.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "base/secret.h"
#include "gateway/call.h"

namespace remit::gateway {

// A key pair that is worthless at AWS: it names a lane and signs requests to Remit.
// `AKIAREMIT` + 11 base-32 characters; the secret is 40 random characters.
struct Placeholder {
  std::string access_key_id;
  Secret secret_access_key;
  Secret proxy_token;       // password of HTTPS_PROXY; the user name is access_key_id
  Secret credential_token;  // for fetching credentials: egress/credential_endpoint.h
};
Placeholder make_placeholder(Random& random);

class Lane {
 public:
  Lane(std::string upstream, Placeholder placeholder, std::vector<std::string> public_hosts)
      : upstream_(std::move(upstream)),
        placeholder_(std::move(placeholder)),
        public_hosts_(std::move(public_hosts)) {}
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  const std::string& upstream() const { return upstream_; }
  const Placeholder& placeholder() const { return placeholder_; }
  // Hosts (lower case) whose unsigned reads may pass, call in force or not.
  const std::vector<std::string>& public_hosts() const { return public_hosts_; }

  // The call on whose behalf requests of this lane act now; null: refuse and record. A request
  // belongs to the call that was in force when its head was read: keep the pointer for its life.
  const std::shared_ptr<Call>& in_force() const { return in_force_; }

  // At most one call at a time: putting one in force while another is, is a bug.
  void put_in_force(std::shared_ptr<Call> call);
  void clear();  // ends the call in force, if any

 private:
  std::string upstream_;
  Placeholder placeholder_;
  std::vector<std::string> public_hosts_;
  std::shared_ptr<Call> in_force_;
};

// Every lane whose process lives. Egress asks it for each request and each CONNECT.
class LaneTable {
 public:
  void add(std::shared_ptr<Lane> lane);
  void remove(std::string_view access_key_id);  // also ends the call in force
  // By the access key id in a signature; null when no living lane has it.
  std::shared_ptr<Lane> by_access_key(std::string_view access_key_id) const;
  // By the user name and password of Proxy-Authorization, compared in constant time.
  std::shared_ptr<Lane> by_proxy_credentials(std::string_view user, std::string_view token) const;
  // By the token for fetching credentials, compared in constant time with that of each lane.
  std::shared_ptr<Lane> by_credential_token(std::string_view token) const;
  // Ends the calls in force that fit: they authorise nothing more. How many.
  std::size_t end_calls(const std::function<bool(const CallFacts& facts)>& fits);
  std::size_t size() const { return lanes_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, std::shared_ptr<Lane>, Hash, std::equal_to<>> lanes_;
};

}  // namespace remit::gateway
