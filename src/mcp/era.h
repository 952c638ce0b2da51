#pragma once

// How a client says who it is and which revision it speaks. Up to 2025-11-25 a handshake opens the
// connection (HandshakeEra); 2026-07-28 says it in each request's `_meta`. The front asks the era
// of a connection about each message and works on with what is the same in both: the message and
// the Caller.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "mcp/message.h"
#include "mcp/revision.h"

namespace remit::mcp {

// Self-reported, so never used for a decision about access.
struct Caller {
  Revision revision = kNewest;
  std::string capabilities = "{}";              // raw: what the client can be asked for
  std::string info = "{}";                      // raw: {name, version, ...}
  bool has(std::string_view capability) const;  // "sampling", "elicitation", "roots"
};

struct ServerFacts {
  std::string name;
  std::string version;
  std::string instructions;
};

// What becomes of a message: it goes on to the front, or the era answers it, or nobody does.
struct Admitted {
  std::shared_ptr<const Caller> caller;
};
struct Answered {
  std::string line;
};
struct Ignored {};
using Admission = std::variant<Admitted, Answered, Ignored>;

class Era {
 public:
  virtual ~Era() = default;
  virtual Admission admit(const Message& message) = 0;
  // Null until the client has said who it is.
  virtual std::shared_ptr<const Caller> caller() const = 0;
};

// initialize, notifications/initialized; ping at any time.
class HandshakeEra final : public Era {
 public:
  explicit HandshakeEra(ServerFacts facts) : facts_(std::move(facts)) {}
  Admission admit(const Message& message) override;
  std::shared_ptr<const Caller> caller() const override { return caller_; }

 private:
  Answered initialize(const Message& message);

  ServerFacts facts_;
  std::shared_ptr<const Caller> caller_;
};

// The gateway as a client of an upstream.
std::string initialize_params(Revision revision, std::string_view capabilities,
                              std::string_view client_name, std::string_view client_version);

struct Initialized {
  Revision revision = kNewest;
  std::string capabilities = "{}";  // raw
  std::string info = "{}";          // raw
  std::string instructions = {};
};
// Reads the result of initialize. InvalidInput when the upstream wants a revision we do not speak.
Result<Initialized> read_initialize_result(json::Value result);

}  // namespace remit::mcp
