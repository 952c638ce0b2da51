#include "aws/sts_answer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <pugixml.hpp>
#include <utility>

namespace remit::aws {

namespace {

constexpr std::size_t kMaxMessage = 1024;

std::unexpected<Error> unreadable(std::string what) {
  return fail(ErrorCode::Unavailable, "the answer of STS " + std::move(what));
}

// Parsed in place, so that wiping `text` wipes every copy of the secrets.
class Answer {
 public:
  explicit Answer(std::string text) : text_(std::move(text)) {
    good_ = static_cast<bool>(
        document_.load_buffer_inplace(text_.data(), text_.size(), pugi::parse_default));
  }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  ~Answer() {
    document_.reset();
    wipe(text_.data(), text_.size());
  }

  bool good() const { return good_; }
  pugi::xml_node root() const { return document_.document_element(); }

 private:
  std::string text_;
  pugi::xml_document document_;
  bool good_ = false;
};

std::string_view text_of(pugi::xml_node node, const char* name) {
  return node.child(name).text().get();
}

Result<Credentials> read_credentials(pugi::xml_node node) {
  Credentials c;
  c.access_key_id = text_of(node, "AccessKeyId");
  c.secret_access_key = Secret(text_of(node, "SecretAccessKey"));
  c.session_token = Secret(text_of(node, "SessionToken"));
  if (c.access_key_id.empty() || c.secret_access_key.empty() || c.session_token.empty()) {
    return unreadable("has no complete credentials");
  }
  auto expiration = parse_iso8601(text_of(node, "Expiration"));
  if (!expiration) return unreadable("has no Expiration that can be read");
  c.expiration = *expiration;
  c.of_role = true;
  return c;
}

// "111122223333" of arn:aws:sts::111122223333:assumed-role/...
std::string account_of(std::string_view arn) {
  for (int i = 0; i < 4; ++i) {
    const auto colon = arn.find(':');
    if (colon == arn.npos) return "";
    arn.remove_prefix(colon + 1);
  }
  return std::string(arn.substr(0, arn.find(':')));
}

std::string printable(std::string_view text) {
  std::string out(text.substr(0, kMaxMessage));
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return out;
}

struct Meaning {
  std::string_view code;
  ErrorCode kind;
  std::string_view hint;
};

// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html and API_AssumeRole.html
constexpr std::array<Meaning, 19> kMeanings = {{
    {"ExpiredToken", ErrorCode::Denied,
     "the base credentials have expired: renew them at their source"},
    {"ExpiredTokenException", ErrorCode::Denied,
     "the credentials or the identity token have expired: renew them at their source"},
    {"InvalidClientTokenId", ErrorCode::Denied,
     "AWS does not know the base credentials' access key: it was deleted, or belongs to another "
     "partition"},
    {"UnrecognizedClientException", ErrorCode::Denied,
     "AWS does not know the base credentials' access key"},
    {"InvalidAccessKeyId", ErrorCode::Denied,
     "the access key of the base credentials is not known"},
    {"InvalidToken", ErrorCode::Denied,
     "the session token of the base credentials does not belong to their key"},
    {"SignatureDoesNotMatch", ErrorCode::Denied,
     "the secret key is wrong, or this machine's clock is"},
    {"RequestExpired", ErrorCode::Denied,
     "the request was too old when it arrived: look at this machine's clock"},
    {"RequestTimeTooSkewed", ErrorCode::Denied, "look at this machine's clock"},
    {"InvalidIdentityToken", ErrorCode::Denied,
     "the web identity token was not accepted by the role's identity provider"},
    {"IDPRejectedClaim", ErrorCode::Denied,
     "the identity provider rejected the web identity token"},
    {"RegionDisabledException", ErrorCode::Denied,
     "STS is not activated in this region for the account: activate it, or set another aws.region"},
    {"OptInRequired", ErrorCode::Denied, "the account is not signed up for this service"},
    {"MalformedPolicyDocument", ErrorCode::InvalidInput, "the session policy is not valid"},
    {"ValidationError", ErrorCode::InvalidInput, "STS did not accept a parameter"},
    {"InvalidParameterValue", ErrorCode::InvalidInput, "STS did not accept a parameter"},
    {"MalformedInput", ErrorCode::InvalidInput, "STS could not read the request"},
    {"NoSuchEntity", ErrorCode::InvalidInput, "the role does not exist"},
    {"PackedPolicyTooLarge", ErrorCode::LimitExceeded,
     "session policy, managed policy ARNs and tags are too large once packed: use wildcards in "
     "ARNs, shorter or no Sids, fewer and shorter tags, or a managed policy"},
}};

bool is_throttling(std::string_view code) {
  static constexpr std::array<std::string_view, 8> kCodes = {"Throttling",
                                                             "ThrottlingException",
                                                             "ThrottledException",
                                                             "RequestThrottled",
                                                             "RequestThrottledException",
                                                             "TooManyRequestsException",
                                                             "RequestLimitExceeded",
                                                             "SlowDown"};
  return std::ranges::find(kCodes, code) != kCodes.end();
}

std::string_view hint_of_denial(std::string_view message) {
  const auto says = [message](std::string_view what) { return message.find(what) != message.npos; };
  if (says("sts:TagSession")) {
    return "session tags are passed: the role's trust policy must allow sts:TagSession to the base "
           "principal, and so must that principal's own policy when it is of another account";
  }
  if (says("sts:SetSourceIdentity")) {
    return "a source identity is passed: the role's trust policy must allow sts:SetSourceIdentity "
           "to "
           "the base principal, and so must that principal's own policy when it is of another "
           "account";
  }
  return "the role must exist, its trust policy must allow sts:AssumeRole (with session tags also "
         "sts:TagSession, with a source identity also sts:SetSourceIdentity) to the base principal "
         "and "
         "its conditions must hold (external id, tags), and the principal's own policy must allow "
         "it "
         "when it is of another account";
}

std::string clock_hint(std::optional<TimePoint> server_time, TimePoint now) {
  using std::chrono::minutes;
  if (!server_time) return "";
  const auto off = std::chrono::duration_cast<minutes>(now - *server_time);
  if (std::chrono::abs(off) < minutes(5)) return "";
  return "; this machine's clock is off by " + std::to_string(std::chrono::abs(off).count()) +
         " minutes (" + (off.count() > 0 ? "ahead" : "behind") + "): set it right";
}

}  // namespace

Result<AssumedRole> read_assumed_role(std::string xml) {
  const Answer answer(std::move(xml));
  if (!answer.good()) return unreadable("is not XML");
  const pugi::xml_node root = answer.root();
  const pugi::xml_node result = root.child("AssumeRoleResult")
                                    ? root.child("AssumeRoleResult")
                                    : root.child("AssumeRoleWithWebIdentityResult");
  AssumedRole role;
  REMIT_TRY(role.credentials, read_credentials(result.child("Credentials")));
  role.arn = text_of(result.child("AssumedRoleUser"), "Arn");
  role.assumed_role_id = text_of(result.child("AssumedRoleUser"), "AssumedRoleId");
  role.source_identity = text_of(result, "SourceIdentity");
  role.request_id = text_of(root.child("ResponseMetadata"), "RequestId");
  role.credentials.account_id = account_of(role.arn);
  const std::string_view packed = text_of(result, "PackedPolicySize");
  int percent = 0;
  if (std::from_chars(packed.data(), packed.data() + packed.size(), percent).ec == std::errc()) {
    role.packed_policy_percent = percent;
  }
  return role;
}

Result<Credentials> read_express_session(std::string xml) {
  const Answer answer(std::move(xml));
  if (!answer.good()) return unreadable("is not XML");
  REMIT_TRY(Credentials credentials, read_credentials(answer.root().child("Credentials")));
  credentials.of_role = false;  // no roles can be assumed with it
  return credentials;
}

Result<CallerIdentity> read_caller_identity(std::string xml) {
  const Answer answer(std::move(xml));
  if (!answer.good()) return unreadable("is not XML");
  const pugi::xml_node result = answer.root().child("GetCallerIdentityResult");
  CallerIdentity identity{std::string(text_of(result, "Account")),
                          std::string(text_of(result, "Arn")),
                          std::string(text_of(result, "UserId"))};
  if (identity.account.empty() || identity.arn.empty()) return unreadable("names no caller");
  return identity;
}

bool StsRefusal::worth_a_retry() const {
  return status >= 500 || status == 429 || is_throttling(code) || code == "IDPCommunicationError";
}

StsRefusal read_refusal(int status, std::string xml) {
  StsRefusal refusal;
  refusal.status = status;
  const Answer answer(std::move(xml));
  if (!answer.good()) return refusal;
  const pugi::xml_node root = answer.root();
  const pugi::xml_node error = root.child("Error") ? root.child("Error") : root;
  refusal.code = printable(text_of(error, "Code"));
  refusal.message = printable(text_of(error, "Message"));
  refusal.request_id = printable(text_of(root, "RequestId"));
  if (refusal.request_id.empty()) refusal.request_id = printable(text_of(error, "RequestId"));
  return refusal;
}

Error explain(const StsRefusal& refusal, std::optional<TimePoint> server_time, TimePoint now) {
  Error error{ErrorCode::Unavailable, ""};
  if (refusal.code.empty()) {
    error.message = "STS answered with status " + std::to_string(refusal.status) + " and no reason";
    if (refusal.status == 403) error.code = ErrorCode::Denied;
    error.message += clock_hint(server_time, now);
    return error;
  }
  error.message = "STS answered " + refusal.code;
  if (!refusal.message.empty()) error.message += ": " + refusal.message;
  const auto meaning = std::ranges::find(kMeanings, refusal.code, &Meaning::code);
  if (refusal.code == "AccessDenied" || refusal.code == "AccessDeniedException") {
    error.code = ErrorCode::Denied;
    error.message.append("; ").append(hint_of_denial(refusal.message));
  } else if (meaning != kMeanings.end()) {
    error.code = meaning->kind;
    error.message.append("; ").append(meaning->hint);
  } else if (is_throttling(refusal.code)) {
    error.message +=
        "; STS takes 600 requests a second for an account and region, from all callers";
  } else if (refusal.status >= 400 && refusal.status < 500) {
    error.code = ErrorCode::Denied;
  }
  error.message += clock_hint(server_time, now);
  if (!refusal.request_id.empty()) error.message += " (request " + refusal.request_id + ")";
  return error;
}

}  // namespace remit::aws
