// Egress as the gateway runs it, with one call in force, for bench/egress/run.
//
//   bench_egress UPSTREAM LEDGER_FILE disk|process [LANES [CA_FILE]]
//
// UPSTREAM: a port of this machine, or a URL. Prints one JSON line with its port, its private
// authority, the proxy credentials, with LANES the requests of each lane and, for each kind of
// request of the benchmark, the fields that a client signs with the placeholder. Real verification,
// identification, decision, ledger and signing; only the STS session is made up, because the
// upstream does not look at it.

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "aws/sigv4.h"
#include "base/digest.h"
#include "base/encoding.h"
#include "base/resident.h"
#include "gateway/egress/egress.h"
#include "gateway/session.h"
#include "iam/policy.h"
#include "json/writer.h"

namespace {

using namespace remit;
using namespace remit::gateway;

class MadeUpSession final : public Session {
 public:
  MadeUpSession() {
    auto made = std::make_shared<SessionCredentials>();
    made->credentials.access_key_id = "ASIABENCHBENCHBENCH0";
    made->credentials.secret_access_key = Secret("bench-secret-bench-secret-bench-secret-b");
    made->credentials.session_token = Secret(std::string(900, 't'));  // as long as real ones
    made->account = "111122223333";
    credentials_ = std::move(made);
  }
  std::shared_ptr<const SessionCredentials> current() const override { return credentials_; }
  net::Task<Result<std::shared_ptr<const SessionCredentials>>> credentials() override {
    co_return credentials_;
  }

 private:
  std::shared_ptr<const SessionCredentials> credentials_;
};

constexpr std::string_view kPolicy =
    R"({"Version":"2012-10-17","Statement":[)"
    R"({"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:ListBucket"],)"
    R"("Resource":["arn:aws:s3:::bench","arn:aws:s3:::bench/*"]},)"
    R"({"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::bench/secret/*"}]})";

struct Kind {
  std::string_view name, method, target;
  aws::Payload payload;
  std::size_t body;
};

// Of that many bytes 'x', in pieces: the peak of this process's memory is a figure of the
// benchmark.
std::string hash_of_x(std::size_t size) {
  const std::string piece(std::size_t{1} << 16, 'x');
  Sha256 sha;
  for (std::size_t left = size; left != 0;) {
    const std::size_t now = std::min(left, piece.size());
    sha.update(std::string_view(piece).substr(0, now));
    left -= now;
  }
  return hex(sha.finish());
}

void write_request(json::Writer& out, const Kind& kind, const std::string& host,
                   const Placeholder& placeholder) {
  http::RequestHead head;
  head.method = kind.method;
  head.target = kind.target;
  head.fields = {{"Host", host},
                 {"User-Agent", "Boto3/1.43.67 md/Botocore#1.43.67 os/linux lang/python#3.11"}};
  const std::string hash = hash_of_x(kind.body);
  if (kind.payload == aws::Payload::Hash) {
    head.fields.push_back({"X-Amz-Content-Sha256", hash});
  }
  aws::SignInput input;
  input.region = "us-east-1";
  input.service = "s3";
  input.now = SystemClock().now();
  input.payload = kind.payload;
  input.payload_hash = hash;
  aws::Credentials credentials;
  credentials.access_key_id = placeholder.access_key_id;
  credentials.secret_access_key = placeholder.secret_access_key.clone();
  aws::Signer signer;
  if (!signer.sign(head, credentials, input)) std::exit(1);
  if (!kind.name.empty()) out.key(kind.name);
  out.begin_object();
  out.key("target").string(head.target);
  out.key("fields").begin_object();
  for (const auto& field : head.fields) out.key(field.name).string(field.value);
  out.end_object();
  out.end_object();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || argc > 6) return 2;
  net::Loop loop(net::kOneThread);
  SystemClock clock;
  SystemRandom random;
  StderrLog log(Log::Level::Warning);
  LaneTable lanes;
  auto catalogue = aws::Catalogue::embedded();
  ledger::Options ledger_options;
  ledger_options.path = argv[2];
  ledger_options.durability =
      std::string_view(argv[3]) == "disk" ? ledger::Durability::Disk : ledger::Durability::Process;
  auto ledger = ledger::open(ledger_options, [&loop](std::move_only_function<void()> work) {
    boost::asio::post(loop, std::move(work));
  });
  auto policy = iam::compile(kPolicy, iam::PolicyKind::Session, "session policy of the benchmark");
  if (!catalogue || !ledger || !policy) return 1;

  const auto session_policy = std::make_shared<const iam::Policy>(*std::move(policy));
  const auto session = std::make_shared<MadeUpSession>();
  std::vector<Placeholder> placeholders;
  const long count = argc > 4 ? std::max(1L, std::strtol(argv[4], nullptr, 10)) : 1L;
  for (long i = 0; i < count; ++i) {
    Placeholder made = make_placeholder(random);
    Placeholder its_own{made.access_key_id, made.secret_access_key.clone(),
                        made.proxy_token.clone(), made.credential_token.clone()};
    auto lane = std::make_shared<Lane>("bench", std::move(its_own), std::vector<std::string>());
    lanes.add(lane);
    CallFacts facts;
    facts.id = fmt::format("bench-call-{}", i);
    facts.upstream = "bench";
    facts.tool = "bench";
    facts.remit = "bench";
    facts.account = "111122223333";
    facts.role_arn = "arn:aws:iam::111122223333:role/bench";
    facts.session_name = "bench";
    facts.session_policy = session_policy;
    lane->put_in_force(std::make_shared<Call>(std::move(facts), session));
    placeholders.push_back(std::move(made));
  }
  const Placeholder& placeholder = placeholders.front();

  EgressOptions options;
  const std::string_view upstream = argv[1];
  options.endpoints = {{"*", upstream.contains(':')
                                 ? std::string(upstream)
                                 : fmt::format("http://127.0.0.1:{}", upstream)}};
  if (argc > 5) options.client.ca_file = argv[5];
  auto egress = Egress::start({.loop = loop,
                               .clock = clock,
                               .random = random,
                               .log = log,
                               .lanes = lanes,
                               .catalogue = *catalogue,
                               .ledger = **ledger},
                              std::move(options));
  if (!egress) return 1;
  json::Writer out;
  out.begin_object();
  out.key("port").integer((*egress)->port());
  out.key("ca").string((*egress)->ca_pem());
  out.key("proxy_user").string(placeholder.access_key_id);
  out.key("proxy_password").string(placeholder.proxy_token.expose());
  const std::string host = fmt::format("127.0.0.1:{}", (*egress)->port());
  const Kind small{"small", "GET", "/bench/small", aws::Payload::Hash, 0};
  for (const Kind& kind : {
           small,
           Kind{"get_big", "GET", "/bench/bytes/1073741824", aws::Payload::Hash, 0},
           Kind{"put_unsigned", "PUT", "/bench/up", aws::Payload::Unsigned, 0},
           Kind{"put_hashed", "PUT", "/bench/up", aws::Payload::Hash, std::size_t{1} << 30},
       }) {
    write_request(out, kind, host, placeholder);
  }
  Kind tunnel = small;
  tunnel.name = "small_tunnel";
  write_request(out, tunnel, "s3.us-east-1.amazonaws.com", placeholder);
  out.key("lanes").begin_array();
  Kind nameless = small;
  nameless.name = {};
  for (const Placeholder& each : placeholders) write_request(out, nameless, host, each);
  out.end_array();
  out.end_object();
  fmt::print("{}\n", std::move(out).take());
  std::fflush(stdout);
  forget_pages_of_start();  // as the gateway does
  // An end in good order: what counts its own steps (tools/profile/train) writes them down at exit.
  boost::asio::signal_set stop(loop, SIGTERM, SIGINT);
  stop.async_wait([&loop](const boost::system::error_code&, int) { loop.stop(); });
  loop.run();
}
