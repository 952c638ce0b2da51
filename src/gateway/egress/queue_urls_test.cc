#include "gateway/egress/queue_urls.h"

namespace remit::gateway {
namespace {

constexpr std::string_view kOwn = "http://127.0.0.1:4711";
constexpr std::string_view kReal = "https://sqs.us-east-1.amazonaws.com";

TEST(QueueUrls, AreOursInAnswersAndAwssInRequests) {
  struct Case {
    std::string_view theirs, ours;
  };
  for (
      const Case& each : std::vector<Case>{
          {R"({"QueueUrl":"https://sqs.us-east-1.amazonaws.com/111122223333/q"})",
           R"({"QueueUrl":"http://127.0.0.1:4711/111122223333/q"})"},
          {R"({"QueueUrls":["https://sqs.us-east-1.amazonaws.com/111122223333/a","https://queue.amazonaws.com/111122223333/b.fifo"]})",
           R"({"QueueUrls":["http://127.0.0.1:4711/111122223333/a","http://127.0.0.1:4711/111122223333/b.fifo"]})"},
          {"<QueueUrl>https://sqs.us-east-1.amazonaws.com/111122223333/q</QueueUrl>",
           "<QueueUrl>http://127.0.0.1:4711/111122223333/q</QueueUrl>"},
          {R"({"NextToken":"https://else.example/path","x":"see http://a/111122223333/q"})",
           R"({"NextToken":"https://else.example/path","x":"see http://a/111122223333/q"})"},
          {"", ""},
          {"\"https://", "\"https://"},
          {R"({"QueueUrl":"https://h/1111222233334/q"})",
           R"({"QueueUrl":"https://h/1111222233334/q"})"},
      }) {
    EXPECT_EQ(with_queue_base(each.theirs, kOwn), each.ours);
  }
  std::string json =
      R"({"QueueUrl":"http://127.0.0.1:4711/1/q","MessageBody":"http://127.0.0.1:4711/"})";
  EXPECT_TRUE(restore_queue_base(json, kOwn, kReal));
  EXPECT_EQ(
      json,
      R"({"QueueUrl":"https://sqs.us-east-1.amazonaws.com/1/q","MessageBody":"http://127.0.0.1:4711/"})");
  std::string within = R"({"MessageBody":"{\"QueueUrl\":\"http://127.0.0.1:4711/1/q\"}"})";
  EXPECT_FALSE(restore_queue_base(within, kOwn, kReal));
  std::string form = "Action=SendMessage&QueueUrl=http%3A%2F%2F127.0.0.1%3A4711%2F1%2Fq";
  EXPECT_TRUE(restore_queue_base(form, kOwn, kReal));
  EXPECT_TRUE(form.ends_with("QueueUrl=https%3A%2F%2Fsqs.us-east-1.amazonaws.com%2F1%2Fq")) << form;
  std::string other = R"({"QueueUrl":"http://127.0.0.1:47110/1/q"})";
  EXPECT_FALSE(restore_queue_base(other, kOwn, kReal));
}

}  // namespace
}  // namespace remit::gateway
