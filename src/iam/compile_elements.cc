// Action, Resource and Principal, and the index over the actions.

#include <algorithm>
#include <array>

#include "iam/compiler.h"
#include "iam/hash.h"
#include "iam/wildcard.h"

namespace remit::iam {
namespace {

bool has_wildcard(std::string_view text) { return text.find_first_of("*?") != text.npos; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_account(std::string_view text) {
  return text.size() == 12 && std::ranges::all_of(text, is_digit);
}

// Identifiers that IAM shows in place of a deleted principal: AIDA..., AROA....
bool is_unique_id(std::string_view text) {
  return text.size() >= 16 && text.size() <= 128 && text.starts_with('A') &&
         std::ranges::all_of(text, [](char c) { return is_digit(c) || (c >= 'A' && c <= 'Z'); });
}

struct ArnText {
  std::array<std::string_view, 6> parts;
  std::size_t count = 0;
};

ArnText split_arn(std::string_view text) {
  ArnText out;
  while (out.count < 5) {
    const auto colon = text.find(':');
    out.parts[out.count++] = text.substr(0, colon);
    if (colon == std::string_view::npos) return out;
    text.remove_prefix(colon + 1);
  }
  out.parts[out.count++] = text;
  return out;
}

// Whether one of the first five segments has a wildcard elsewhere than at its end.
bool inner_wildcard(std::string_view text) {
  const auto arn = split_arn(text);
  for (std::size_t i = 0; i < std::min<std::size_t>(arn.count, 5); ++i) {
    const auto part = arn.parts[i];
    const auto wild = part.find_first_of("*?");
    if (wild != part.npos && (wild + 1 != part.size() || part[wild] == '?')) return true;
  }
  return false;
}

// AWS completes an ARN with fewer than six fields in an identity-based policy, but refuses it in
// a session policy. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
bool completes_arns(PolicyKind kind) {
  return kind == PolicyKind::Identity || kind == PolicyKind::Boundary || kind == PolicyKind::Scp ||
         kind == PolicyKind::Rcp;
}

// IAM itself reads these; policies of other services are read by those services.
bool read_by_iam(PolicyKind kind) {
  return kind == PolicyKind::Identity || kind == PolicyKind::Boundary ||
         kind == PolicyKind::Session;
}

std::string_view last_part(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? path : path.substr(slash + 1);
}

}  // namespace

void Compiler::actions(json::Value value, const Path& path, Statement& out) {
  out.actions = strings(value, path, out_.actions.size(),
                        [this](json::Value v, const Path& p) { action(v, p); });
}

// One pass: the text in lower case goes to the pool, and what it holds is noted.
void Compiler::action(json::Value value, const Path& path) {
  const auto text = value.string();
  ActionPattern out;
  out.full = {static_cast<std::uint32_t>(out_.pool.size()),
              static_cast<std::uint32_t>(text.size())};
  out_.pool.resize(out_.pool.size() + text.size());
  char* const to = out_.pool.data() + out.full.offset;
  std::size_t colon = text.npos;
  bool space = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    to[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (c == ':' && colon == text.npos) colon = i;
    if (c == '*' || c == '?') (colon == text.npos ? out.wild_service : out.wild_name) = true;
    space = space || c == ' ' || (c >= '\t' && c <= '\r');
  }
  if (text == "*") {
    out.any = true;
    out.wild_service = false;
  } else if (colon == text.npos || colon == 0 || colon + 1 == text.size()) {
    fault(value, path, "must be \"*\" or service:action, such as s3:GetObject");
  } else if (space) {
    fault(value, path, "an action has no white space");
  } else {
    out.service = {out.full.offset, static_cast<std::uint32_t>(colon)};
    out.name = {out.full.offset + out.service.size + 1, out.full.size - out.service.size - 1};
    if (out.wild_service) out.service = keep_encoded(out.service);
    if (out.wild_name) out.name = keep_encoded(out.name);
  }
  out_.actions.push_back(out);
}

Text Compiler::keep_encoded(Text plain) {
  const auto offset = out_.pool.size();
  out_.pool.reserve(offset + plain.size);  // the view below stays valid
  append_encoded(out_.pool, std::string_view(out_.pool).substr(plain.offset, plain.size));
  return {static_cast<std::uint32_t>(offset),
          static_cast<std::uint32_t>(out_.pool.size() - offset)};
}

void Compiler::resources(json::Value value, const Path& path, Statement& out) {
  out.resources = strings(value, path, out_.patterns.size(),
                          [this](json::Value v, const Path& p) { resource(v, p); });
}

void Compiler::resource(json::Value value, const Path& path) {
  const auto text = value.string();
  const auto arn = split_arn(text);
  if (text == "*" || !text.starts_with("arn:")) {
    if (text != "*" && read_by_iam(out_.kind)) {
      fault(value, path, "must be \"*\" or an ARN, such as arn:aws:s3:::bucket/*");
    }
    out_.patterns.push_back(pattern(text, Wildcards::Encoded, 0, value, path));
    return;
  }
  if (arn.count == 6) {
    const auto last = static_cast<std::size_t>(arn.parts[5].data() - text.data());
    out_.patterns.push_back(pattern(text, Wildcards::Encoded, last, value, path));
    out_.patterns.back().inner_wildcard = inner_wildcard(text);
    return;
  }
  if (out_.kind == PolicyKind::Session) {
    fault(value, path,
          "an ARN in a session policy needs all six fields: "
          "arn:partition:service:region:account:resource");
  }
  std::string whole(text);
  if (completes_arns(out_.kind)) {
    for (std::size_t i = arn.count; i < 6; ++i) whole += ":*";
  }
  auto compiled = pattern(whole, Wildcards::Encoded, whole.size(), value, path);
  compiled.inner_wildcard = inner_wildcard(whole);
  if (compiled.form == PatternForm::Glob && has_wildcard(text) && whole.size() > text.size()) {
    compiled.completed = static_cast<std::uint8_t>(6 - arn.count);
  }
  out_.patterns.push_back(compiled);
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
void Compiler::principals(json::Value value, const Path& path, Statement& out) {
  const auto first = static_cast<std::uint32_t>(out_.principals.size());
  if (value.is(json::Kind::Object)) {
    for (const auto& [type, type_offset, names] : value.members()) {
      if (type != "AWS" && type != "Service" && type != "Federated" && type != "CanonicalUser") {
        fault(type_offset, path.key(type),
              "unknown kind of principal: AWS, Service, Federated or CanonicalUser");
        continue;
      }
      principal_member(type, names, path.key(type));
    }
  } else if (value.as_string() == std::optional<std::string_view>("*")) {
    out_.principals.push_back({PrincipalForm::Everyone, keep("*"), {}, {}, {}});
  } else {
    fault(value, path, "must be \"*\" or an object such as {\"AWS\": \"111122223333\"}");
  }
  out.principals = {first, static_cast<std::uint32_t>(out_.principals.size()) - first};
}

void Compiler::principal_member(std::string_view type, json::Value value, const Path& path) {
  strings(value, path, 0, [this, type](json::Value v, const Path& p) { principal(type, v, p); });
}

void Compiler::principal(std::string_view type, json::Value value, const Path& path) {
  const auto text = value.string();
  PrincipalEntry out;
  out.text = keep(text);
  if (type == "AWS") {
    aws_principal(value, path, out);
  } else if (type == "CanonicalUser") {
    out.form = PrincipalForm::Canonical;
  } else {
    const bool service = type == "Service";
    if (text != "*" && has_wildcard(text)) {
      fault(value, path, "a principal cannot hold a wildcard");
    }
    const bool any = text == "*";
    out.form = service ? (any ? PrincipalForm::AnyService : PrincipalForm::Service)
                       : (any ? PrincipalForm::AnyProvider : PrincipalForm::Provider);
  }
  out_.principals.push_back(out);
}

void Compiler::aws_principal(json::Value value, const Path& path, PrincipalEntry& out) {
  const auto text = value.string();
  if (text == "*") {
    out.form = PrincipalForm::Everyone;
  } else if (is_account(text)) {
    out.form = PrincipalForm::Account;
    out.account = out.text;
  } else if (text.starts_with("arn:")) {
    principal_arn(value, path, out);
  } else if (is_unique_id(text)) {
    out.form = PrincipalForm::UniqueId;
  } else {
    fault(value, path, "must be \"*\", a 12-digit account or an ARN");
  }
}

void Compiler::principal_arn(json::Value value, const Path& path, PrincipalEntry& out) {
  const auto text = value.string();
  const auto arn = split_arn(text);
  if (has_wildcard(text)) {
    fault(value, path, "a principal cannot hold a wildcard: use a condition on aws:PrincipalArn");
    return;
  }
  if (arn.count != 6 || arn.parts[5].empty()) {
    fault(value, path, "is not an ARN of six fields");
    return;
  }
  const auto within = [&](std::string_view part) {
    return Text{out.text.offset + static_cast<std::uint32_t>(part.data() - text.data()),
                static_cast<std::uint32_t>(part.size())};
  };
  const auto last = arn.parts[5];
  out.partition = within(arn.parts[1]);
  out.account = within(arn.parts[4]);
  out.name = within(last_part(last));
  const bool iam = arn.parts[2] == "iam";
  const bool sts = arn.parts[2] == "sts";
  if (iam && last == "root") {
    out.form = PrincipalForm::Account;
  } else if (iam && last.starts_with("user/")) {
    out.form = PrincipalForm::User;
  } else if (iam && last.starts_with("role/")) {
    out.form = PrincipalForm::Role;
  } else if (sts && last.starts_with("assumed-role/")) {
    out.form = PrincipalForm::Session;
  } else if (sts && last.starts_with("federated-user/")) {
    out.form = PrincipalForm::FederatedUser;
  } else if (iam && last.starts_with("group/")) {
    fault(value, path, "a group is no principal: name its users or a role");
  }
}

namespace {

struct Entry {
  std::uint64_t service_hash;
  std::uint64_t key;  // of an exact action its hash; of a wildcard kWild and its statement
  std::uint32_t action;
  std::uint32_t statement;
};
constexpr std::uint64_t kWild = std::uint64_t{1} << 63U;

}  // namespace

// Sorted, not hashed: no input makes it slow.
void Compiler::index() {
  std::vector<Entry> entries;
  entries.reserve(out_.actions.size());
  std::string_view last_service;
  std::uint64_t last_hash = 0;
  for (std::uint32_t s = 0; s < out_.statements.size(); ++s) {
    const auto& statement = out_.statements[s];
    const auto actions = out_.slice(out_.actions, statement.actions);
    const bool general = statement.not_action || std::ranges::any_of(actions, [](const auto& a) {
                           return a.any || a.wild_service;
                         });
    if (general) {
      out_.general.push_back(s);
      continue;
    }
    for (std::uint32_t i = 0; i < actions.size(); ++i) {
      const auto& a = actions[i];
      if (const auto service = out_.text(a.service); service != last_service) {
        last_service = service;
        last_hash = hash_ignoring_case(service);
      }
      const std::uint64_t key = a.wild_name ? kWild | s : action_hash(out_.text(a.full));
      entries.push_back({last_hash, key, statement.actions.first + i, s});
    }
  }
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    if (a.service_hash != b.service_hash) return a.service_hash < b.service_hash;
    if (a.key != b.key) return a.key < b.key;
    return a.action < b.action;
  });
  out_.exact.reserve(entries.size());
  for (const auto& e : entries) {
    if (out_.services.empty() || out_.services.back().hash != e.service_hash) {
      ServiceEntry service;
      service.hash = e.service_hash;
      service.exact.first = static_cast<std::uint32_t>(out_.exact.size());
      service.wild.first = static_cast<std::uint32_t>(out_.wild.size());
      out_.services.push_back(service);
      out_.service_mask |= service_bit(e.service_hash);
    }
    auto& service = out_.services.back();
    if ((e.key & kWild) == 0) {
      out_.exact.push_back({e.key, e.action, e.statement});
      ++service.exact.count;
      continue;
    }
    if (service.wild.count == 0 || out_.wild.back().statement != e.statement) {
      out_.wild.push_back({e.statement, {static_cast<std::uint32_t>(out_.wild_actions.size()), 0}});
      ++service.wild.count;
    }
    out_.wild_actions.push_back(e.action);
    ++out_.wild.back().actions.count;
  }
}

}  // namespace remit::iam
