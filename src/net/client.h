#pragma once

// HTTP/1.1 client: whole small exchanges (HttpClient) on pooled keep-alive connections.
// Streaming exchanges are in net/channel.h and net/pool.h.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"
#include "net/task.h"

namespace remit::net {

// Where a connection goes. Compared as written: lower-case the host.
struct Origin {
  bool tls = false;
  std::string host;  // name or address, IPv6 without brackets
  std::uint16_t port = 80;
  bool operator==(const Origin&) const = default;
};

struct Url {
  Origin origin;
  std::string authority;  // as the Host field wants it: with the port only when not the default
  std::string target;     // path and query, "/" when empty
};

// http:// and https:// only; no user information, no fragment.
Result<Url> parse_url(std::string_view url);

// "host", "host:port", "[v6]:port"; tls is left false.
Result<Origin> parse_authority(std::string_view authority, std::uint16_t default_port);
std::string authority_of(const Origin& origin);  // as the Host field wants it

struct Response {
  http::ResponseHead head;
  std::string body;  // chunked coding removed
};

// One request and its whole answer. An interface so that tests can stand in for the network.
//
// Fields: Host, Content-Length (when there is a body or the method has one) and Connection are
// added; none of them may be given, except Host. No redirect is followed; an answer with any
// status is a Response. Errors: InvalidInput (bad URL or field), Unavailable (connect, TLS,
// reset, no answer in time), LimitExceeded (body larger than the client's cap).
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  virtual Task<Result<Response>> request(std::string url, std::string method, http::Fields fields,
                                         std::string body, std::chrono::milliseconds timeout) = 0;
};

struct ClientOptions {
  std::string ca_file;  // PEM; trusted besides the system's roots. Empty: the system's only
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds idle_limit{20'000};  // a pooled connection unused so long is closed
  std::size_t max_idle_per_origin = 1'024;       // as many lanes may talk to one service at once
  std::size_t max_whole_body = 4 << 20;          // HttpClient refuses more
};

// Fails when the certificates cannot be read. The loop must outlive the client.
Result<std::unique_ptr<HttpClient>> make_http_client(Loop& loop, ClientOptions options);

}  // namespace remit::net
