#include "aws/error_form.h"

#include <gmock/gmock.h>

#include "json/json.h"

namespace remit::aws {
namespace {

using ::testing::HasSubstr;

ErrorFacts denied(Protocol protocol, std::string_view service) {
  ErrorFacts facts;
  facts.protocol = protocol;
  facts.service = service;
  facts.message = "refused by <remit> & its \"policy\"";
  facts.request_id = "remit-1";
  return facts;
}

std::string_view field(const ErrorForm& form, std::string_view name) {
  const http::Field* found = http::find(form.fields, name);
  return found == nullptr ? "" : std::string_view(found->value);
}

TEST(ErrorForm, EscapesTheMessageInXml) {
  for (const auto& [protocol, service] :
       {std::pair{Protocol::Query, "iam"}, std::pair{Protocol::Ec2, "ec2"},
        std::pair{Protocol::RestXml, "s3"}, std::pair{Protocol::RestXml, "route53"}}) {
    const ErrorForm form = error_form(denied(protocol, service));
    EXPECT_EQ(form.status, 403);
    EXPECT_THAT(form.body, HasSubstr("<Code>AccessDenied</Code>"));
    EXPECT_THAT(form.body, HasSubstr("refused by &lt;remit&gt; &amp; its"));
    EXPECT_THAT(form.body, HasSubstr("remit-1"));
    EXPECT_EQ(field(form, "content-length"), std::to_string(form.body.size()));
  }
}

TEST(ErrorForm, NamesTheExceptionInJson) {
  for (const Protocol protocol : {Protocol::Json10, Protocol::Json11, Protocol::RestJson}) {
    const ErrorForm form = error_form(denied(protocol, "dynamodb"));
    EXPECT_EQ(form.status, protocol == Protocol::RestJson ? 403 : 400);
    EXPECT_EQ(field(form, "x-amzn-errortype"), "AccessDeniedException");
    const auto body = json::parse(form.body);
    ASSERT_TRUE(body.has_value());
    EXPECT_EQ(body->root().find("message")->string(), "refused by <remit> & its \"policy\"");
  }
}

TEST(ErrorForm, WritesCborWithItsProtocolHeader) {
  const ErrorForm form = error_form(denied(Protocol::RpcV2Cbor, "cloudwatch"));
  EXPECT_EQ(field(form, "smithy-protocol"), "rpc-v2-cbor");
  EXPECT_EQ(form.body.substr(0, 8), "\xA2\x66__type");
}

TEST(ErrorForm, AnAnswerToHeadHasNoBody) {
  ErrorFacts facts = denied(Protocol::RestXml, "s3");
  facts.head_request = true;
  const ErrorForm form = error_form(facts);
  EXPECT_TRUE(form.body.empty());
  EXPECT_EQ(field(form, "content-length"), "0");
}

}  // namespace
}  // namespace remit::aws
