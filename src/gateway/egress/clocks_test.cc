#include "gateway/egress/clocks.h"

#include "gateway/egress/test_fixture.h"

namespace remit::gateway {
namespace {

using std::chrono::minutes;

TEST(Clocks, SaysWhoseClockIsWrongByTheDateOfAnAnswer) {
  const TimePoint now = SystemClock().now();
  for (const auto& [off, said] :
       {std::pair{60, "60 minutes ahead"}, {-60, "60 minutes behind"}, {4, ""}, {-4, ""}}) {
    http::ResponseHead head;
    head.status = 403;
    head.fields = {{"Date", http_date(now - minutes(off))}};
    const auto remark = remark_on_clock(head, now, "s3.us-east-1.amazonaws.com");
    EXPECT_EQ(remark.has_value(), !std::string_view(said).empty()) << off;
    if (remark) EXPECT_NE(remark->find(said), std::string::npos) << *remark;
    head.status = 404;
    EXPECT_FALSE(remark_on_clock(head, now, "h")) << "not what a wrong clock brings";
    head.status = 403;
    head.fields = {{"Date", "yesterday"}};
    EXPECT_FALSE(remark_on_clock(head, now, "h"));
  }
}

class ClocksTest : public EgressTest {
 protected:
  static net::Task<> refuse_by_date(net::ServerConnection& client) {
    http::Fields fields = {{"Date", http_date(SystemClock().now() - minutes(60))}};
    [[maybe_unused]] auto answered = co_await client.respond(
        403, std::move(fields), "<Error/>", net::ServerConnection::After::KeepAlive);
  }
};

TEST_F(ClocksTest, AClientWithAnotherClockIsToldSoWithOurTime) {
  start();
  for (const int off : {60, -60}) {
    auto call = begin_call(kReadInvoices);
    client_clock_error = minutes(off);
    const Answered answered = exchange(text(request("GET", "/invoices/a", "")) + "\r\n");
    EXPECT_EQ(answered.status, 403) << answered.raw;
    EXPECT_NE(answered.body.find("<Code>RequestTimeTooSkewed</Code>"), std::string::npos);
    EXPECT_NE(answered.body.find("60 minutes"), std::string::npos) << answered.body;
    const http::Field* date = http::find(answered.fields, "date");
    ASSERT_NE(date, nullptr);
    EXPECT_TRUE(date->value == http_date(clock.now()) ||
                date->value == http_date(clock.now() - std::chrono::seconds(1)));
    lane->clear();
  }
  EXPECT_TRUE(arrived.empty());
}

TEST_F(ClocksTest, AnAnswerWithAnotherTimeIsRemarkedOn) {
  answer = [](net::ServerConnection& client, Arrived&) { return refuse_by_date(client); };
  start();
  auto call = begin_call(kReadInvoices);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(exchange(text(request("GET", "/invoices/a", "")) + "\r\n").status, 403);
  }
  ASSERT_EQ(call->remarks().size(), 1u) << "told once";
  EXPECT_NE(call->remarks().front().find("60 minutes ahead"), std::string::npos);
  EXPECT_EQ(call->refusal_count(), 0u) << "it was AWS that refused";
}

}  // namespace
}  // namespace remit::gateway
