#pragma once

// What egress writes into the ledger (ledger/record.h has the members). Bodies are canonical JSON.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "aws/identify.h"
#include "gateway/call.h"
#include "json/writer.h"
#include "ledger/record.h"
#include "net/http.h"

namespace remit::gateway {

// A decision on an identified request. `refusal` null: allowed.
struct Decided {
  const aws::Identified* identified = nullptr;
  std::string_view host;  // where it goes; empty when refused before that was known
  std::string_view session_name;
  std::string_view upstream;
  std::string_view catalogue;  // its hash, so that the decision can be repeated
  const Refusal* refusal = nullptr;
  bool unsafe = false;   // the check was switched off for a test
  bool observe = false;  // tell the condition keys too
};
struct DecidedBody {
  std::string json;
  ledger::Record::Parts parts;  // of an allowed one: those of a call may share a record
};
DecidedBody decided_body(const Decided& decided);

// How a request that was sent on ended.
struct Done {
  std::int64_t decided = 0;   // the sequence number of its decision
  std::int32_t request = -1;  // which of that record's requests; -1: the record is its own
  int status = 0;
  std::string_view request_id;
  std::string_view error;  // of the transport; empty when AWS answered whole
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::chrono::milliseconds took{0};
};

// The body of a record of one or more of them: {"answers":[…]}.
class DoneBody {
 public:
  DoneBody();
  void add(const Done& done);
  std::size_t size() const { return writer_.size(); }  // bytes so far
  std::string take() &&;

 private:
  json::Writer writer_;
};

// Credentials that were derived within a call: the members of session-minted, and who asked how.
struct DerivedRecord {
  const CallFacts* facts = nullptr;  // of what acts with them
  std::string_view operation;
  std::string_view access_key_id;       // the placeholder's
  std::string_view real_access_key_id;  // AWS's, as CloudTrail shows it
  std::string_view asked_session_name;  // what the caller wanted; `session_name` is Remit's
  std::string_view bucket;              // S3 Express
  TimePoint expires{};
  int packed_policy_percent = 0;
  bool narrowed = false;  // by a policy that the caller passed
};
std::string derived_body(const DerivedRecord& record);

// An unsigned read of a public host that was let through.
std::string public_read_body(std::string_view upstream, std::string_view host,
                             const http::RequestHead& head);

// Something that could not be attributed to a call or not be understood.
std::string refused_body(std::string_view upstream, std::string_view host,
                         const http::RequestHead& head, const Refusal& refusal);

}  // namespace remit::gateway
