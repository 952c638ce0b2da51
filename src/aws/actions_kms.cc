// KMS: https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html and
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
#include <algorithm>
#include <array>

#include "aws/call.h"
#include "base/encoding.h"

namespace remit::aws {
namespace {

bool is_key_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

void add_alias(const Call& call, ActionRequest& request) {
  const std::string_view alias = body_text(call, "AliasName");
  if (alias.starts_with("alias/") && call.account_known()) {
    request.resources.push_back(call.regional_arn("kms", alias));
  } else {
    request.resource_unknown = true;
  }
}

void add_encryption_context(const Call& call, ActionRequest& request, std::string_view member) {
  const Wire& body = call.body;
  std::vector<std::string> keys;
  const std::vector<Wire::Ref> pairs = body.children(body.child(body.root(), member));
  // Condition keys know no case: of two names that differ by it only, none is told. A context has
  // 8 KiB at most.
  constexpr std::size_t kMostPairs = 1000;
  if (pairs.size() > kMostPairs) return;
  for (std::size_t i = 0; i < pairs.size(); ++i)
    for (std::size_t j = i + 1; j < pairs.size(); ++j)
      if (equals_ignoring_ascii_case(body.name(pairs[i]), body.name(pairs[j]))) return;
  for (const Wire::Ref pair : pairs) {
    keys.emplace_back(body.name(pair));
    set_context(request, "kms:EncryptionContext:" + std::string(body.name(pair)),
                std::string(body.text(pair)));
  }
  set_absent(request, "kms:EncryptionContext:*");
  set_absent(request, "kms:EncryptionContextKeys");
  if (!keys.empty()) set_context(request, "kms:EncryptionContextKeys", std::move(keys), true);
}

bool encrypts(std::string_view name) {
  constexpr std::array<std::string_view, 7> kNames = {"Encrypt",
                                                      "Decrypt",
                                                      "GenerateDataKey",
                                                      "GenerateDataKeyPair",
                                                      "ReEncrypt",
                                                      "GenerateDataKeyWithoutPlaintext",
                                                      "GenerateDataKeyPairWithoutPlaintext"};
  return std::ranges::find(kNames, name) != kNames.end();
}

void add_crypto_keys(const Call& call, ActionRequest& request) {
  if (call.account_known())
    set_context(request, "kms:CallerAccount", std::string(call.facts.account));
  set_absent(request, "kms:ViaService");  // the request comes from the caller, not from a service
  if (call.body.child(call.body.root(), "Recipient") == Wire::kNothing)
    std::erase_if(request.unknown_keys, [](std::string_view key) {
      return key.starts_with("kms:RecipientAttestation:");
    });
  const std::string_view name = call.name();
  if (encrypts(name) && name != "ReEncrypt") {
    add_encryption_context(call, request, "EncryptionContext");
    if (name == "Encrypt" || name == "Decrypt")
      set_text_key(call, request, "kms:EncryptionAlgorithm", "EncryptionAlgorithm",
                   "SYMMETRIC_DEFAULT");
  }
  if (name.starts_with("GenerateDataKeyPair"))
    set_text_key(call, request, "kms:DataKeyPairSpec", "KeyPairSpec");
  if (name == "Sign" || name == "Verify") {
    set_text_key(call, request, "kms:SigningAlgorithm", "SigningAlgorithm");
    set_text_key(call, request, "kms:MessageType", "MessageType", "RAW");
  }
  if (name == "ScheduleKeyDeletion")
    set_text_key(call, request, "kms:ScheduleKeyDeletionPendingWindowInDays", "PendingWindowInDays",
                 "30");
}

void grant_keys(const Call& call, ActionRequest& request) {
  std::vector<std::string> operations;
  for (const Wire::Ref item : call.body.items(call.body.root(), "Operations"))
    operations.emplace_back(call.body.text(item));
  set_absent(request, "kms:GrantOperations");
  if (!operations.empty()) set_context(request, "kms:GrantOperations", std::move(operations), true);
  set_text_key(call, request, "kms:GranteePrincipal", "GranteePrincipal");
  set_text_key(call, request, "kms:RetiringPrincipal", "RetiringPrincipal");
  set_context(request, "kms:GrantIsForAWSResource", "false");
  const Wire::Ref constraints = call.body.child(call.body.root(), "Constraints");
  for (const std::string_view kind : {"EncryptionContextEquals", "EncryptionContextSubset"})
    if (call.body.child(constraints, kind) != Wire::kNothing)
      set_context(request, "kms:GrantConstraintType", std::string(kind));
  if (constraints == Wire::kNothing) set_absent(request, "kms:GrantConstraintType");
}

void create_keys(const Call& call, ActionRequest& request) {
  const std::string_view old_spec = body_text(call, "CustomerMasterKeySpec");
  set_text_key(call, request, "kms:KeySpec", "KeySpec",
               old_spec.empty() ? "SYMMETRIC_DEFAULT" : old_spec);
  set_text_key(call, request, "kms:KeyUsage", "KeyUsage", "ENCRYPT_DECRYPT");
  set_text_key(call, request, "kms:KeyOrigin", "Origin", "AWS_KMS");
  set_text_key(call, request, "kms:MultiRegion", "MultiRegion", "false");
  set_text_key(call, request, "kms:BypassPolicyLockoutSafetyCheck",
               "BypassPolicyLockoutSafetyCheck", "false");
}

void re_encrypt(const Call& call, std::vector<ActionRequest>& out) {
  struct Side {
    std::string_view action, key, context, algorithm;
  };
  constexpr std::array<Side, 2> kSides = {
      {{"kms:ReEncryptFrom", "SourceKeyId", "SourceEncryptionContext", "SourceEncryptionAlgorithm"},
       {"kms:ReEncryptTo", "DestinationKeyId", "DestinationEncryptionContext",
        "DestinationEncryptionAlgorithm"}}};
  // The ciphertext knows its key; which one is not in the request unless it says so.
  const bool same = !body_text(call, "SourceKeyId").empty() &&
                    body_text(call, "SourceKeyId") == body_text(call, "DestinationKeyId");
  for (const Side& side : kSides) {
    ActionRequest request = call.ask(side.action);
    add_kms_key(call, request, body_text(call, side.key));
    add_crypto_keys(call, request);
    add_encryption_context(call, request, side.context);
    set_text_key(call, request, "kms:EncryptionAlgorithm", side.algorithm, "SYMMETRIC_DEFAULT");
    if (same) set_context(request, "kms:ReEncryptOnSameKey", "true");
    out.push_back(std::move(request));
  }
}

// https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html: alias and keys.
void alias_action(const Call& call, std::vector<ActionRequest>& out) {
  ActionRequest request = call.ask("kms:" + std::string(call.name()));
  add_alias(call, request);
  add_kms_key(call, request, body_text(call, "TargetKeyId"));
  if (call.name() != "CreateAlias") request.resource_unknown = true;  // the key it leaves
  add_crypto_keys(call, request);
  out.push_back(std::move(request));
}

}  // namespace

void add_kms_key(const Call& call, ActionRequest& request, std::string_view given) {
  if (given.starts_with("alias/") || given.contains(":alias/")) {
    set_context(request, "kms:RequestAlias", std::string(given.substr(given.find("alias/"))));
    request.resource_unknown = true;
    return;
  }
  set_absent(request, "kms:RequestAlias");
  if (given.starts_with("arn:") && given.contains(":kms:") && given.contains(":key/")) {
    request.resources.emplace_back(given);
  } else if (is_key_id(given) && call.account_known()) {
    request.resources.push_back(call.regional_arn("kms", "key/" + std::string(given)));
  } else {
    request.resource_unknown = true;
  }
}

Result<bool> add_kms_actions(const Call& call, std::vector<ActionRequest>& out) {
  if (call.body_unknown) return false;
  const std::string_view name = call.name();
  if (name == "ReEncrypt") {
    re_encrypt(call, out);
    return true;
  }
  if (name == "CreateAlias" || name == "UpdateAlias" || name == "DeleteAlias") {
    alias_action(call, out);
    return true;
  }
  const bool on_key =
      call.body.child(call.body.root(), "KeyId") != Wire::kNothing || name == "Decrypt";
  if (on_key) {
    ActionRequest request = call.ask("kms:" + std::string(name));
    add_kms_key(call, request, body_text(call, "KeyId"));
    add_crypto_keys(call, request);
    if (name == "CreateGrant") grant_keys(call, request);
    out.push_back(std::move(request));
    // https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-replicate.html
    if (name == "ReplicateKey") {
      ActionRequest& replica = out.emplace_back(call.ask("kms:CreateKey"));
      replica.resources.emplace_back("*");
    }
    return true;
  }
  add_generic_actions(call, out);
  for (ActionRequest& request : out) {
    add_crypto_keys(call, request);
    if (name == "CreateKey") create_keys(call, request);
  }
  return true;
}

}  // namespace remit::aws
