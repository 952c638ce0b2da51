// A connection leaves nothing of what it sent or received in memory that it gives back: this
// program looks into every block that is freed.

#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "base/secret.h"
#include "net/client.h"
#include "net/server.h"

namespace {

constexpr std::string_view kMark = "FQoGZXIvYXdzEtoken-that-nobody-may-find";
std::atomic<bool> watching = false;
std::atomic<int> found = 0;

void release(void* memory) {
  if (memory != nullptr && watching) {
    const std::string_view bytes(static_cast<const char*>(memory), ::malloc_usable_size(memory));
    if (bytes.contains(kMark)) ++found;
  }
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  if (void* memory = std::calloc(1, size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }

namespace remit::net {
namespace {

Task<> answer_with_keys(ServerConnection& connection) {
  http::RequestHead head;
  auto more = co_await connection.read_request(head);
  while (more && *more && !connection.body_done()) {
    auto piece = co_await connection.read_body();
    if (!piece) co_return;
  }
  for (http::Field& field : head.fields) wipe(field.value.data(), field.value.size());
  std::string body;
  body.reserve(200);
  body.append("<SessionToken>").append(kMark).append("</SessionToken>");
  [[maybe_unused]] auto sent =
      co_await connection.respond(200, {}, body, ServerConnection::After::KeepAlive);
  [[maybe_unused]] auto ended = co_await connection.finish_exchange();
  wipe(body.data(), body.size());
}

Task<> ask_with_token(HttpClient& client, std::string url, std::string& body, Loop& loop) {
  http::Fields fields;
  fields.push_back({"X-Filler", std::string(3000, 'x')});
  fields.push_back({"X-Amz-Security-Token", ""});
  fields.back().value = kMark;
  auto answer = co_await client.request(std::move(url), "POST", std::move(fields),
                                        "Action=AssumeRole", std::chrono::seconds(20));
  if (answer) body = std::move(answer->body);
  loop.stop();
}

TEST(Wiping, LeavesNoTokenOfARequestOrAnAnswerInFreedMemory) {
  std::string body;
  found = 0;
  {
    Loop loop(kOneThread);
    ServerOptions options;
    auto server = Server::listen(loop, options, answer_with_keys);
    ASSERT_TRUE(server);
    auto client = make_http_client(loop, {});
    ASSERT_TRUE(client);
    watching = true;
    spawn(loop,
          ask_with_token(**client, "http://127.0.0.1:" + std::to_string((*server)->port()) + "/",
                         body, loop));
    loop.run_for(std::chrono::seconds(20));
    client->reset();
    server->reset();
    loop.restart();
    loop.run_for(std::chrono::seconds(1));
  }
  watching = false;
  EXPECT_TRUE(body.contains(kMark));
  EXPECT_EQ(found, 0);
}

}  // namespace
}  // namespace remit::net
