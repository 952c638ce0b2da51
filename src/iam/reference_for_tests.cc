#include "iam/reference_for_tests.h"

#include <algorithm>
#include <cstdlib>
#include <functional>

#include "json/json.h"

namespace remit::iam::reference {
namespace {

// 0 no, 1 perhaps, 2 yes.
using Level = int;
constexpr Level kNo = 0;
constexpr Level kPerhaps = 1;
constexpr Level kYes = 2;
Level yes_if(bool b) { return b ? kYes : kNo; }

std::string lower(std::string s) {
  for (char& c : s) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return s;
}

// One character of a pattern: a letter, or one of the two wildcards.
struct Symbol {
  enum { Letter, One, Run, Hole } what = Letter;  // Hole: an unknown piece of text
  char letter = 0;
};
using Symbols = std::vector<Symbol>;

bool glob(const Symbols& p, std::size_t i, const std::string& t, std::size_t j,
          std::map<std::pair<std::size_t, std::size_t>, bool>& seen) {
  if (i == p.size()) return j == t.size();
  const auto key = std::pair(i, j);
  if (const auto at = seen.find(key); at != seen.end()) return at->second;
  bool out = false;
  if (p[i].what == Symbol::Run || p[i].what == Symbol::Hole) {
    out = glob(p, i + 1, t, j, seen) || (j < t.size() && glob(p, i, t, j + 1, seen));
  } else if (j < t.size()) {
    out = (p[i].what == Symbol::One || p[i].letter == t[j]) && glob(p, i + 1, t, j + 1, seen);
  }
  seen[key] = out;
  return out;
}

bool glob(const Symbols& p, const std::string& t) {
  std::map<std::pair<std::size_t, std::size_t>, bool> seen;
  return glob(p, 0, t, 0, seen);
}

std::vector<std::string> words(const std::string& text, char by, std::size_t most) {
  std::vector<std::string> out(1);
  for (const char c : text) {
    if (c == by && out.size() < most) {
      out.emplace_back();
    } else {
      out.back().push_back(c);
    }
  }
  return out;
}

std::vector<json::Value> list_of(json::Value v) {
  std::vector<json::Value> out;
  if (!v.is(json::Kind::Array)) return {v};
  for (const json::Value e : v.elements()) out.push_back(e);
  return out;
}

std::string text_of(json::Value v) {
  if (v.is(json::Kind::Bool)) return v.boolean() ? "true" : "false";
  if (v.is(json::Kind::Number)) return std::string(v.number_text());
  return std::string(v.string());
}

struct Caller {
  std::string kind, account, name, session, text;
};

Caller caller_of(const std::string& text) {
  Caller c;
  c.text = text;
  if (text == "*") {
    c.kind = "anonymous";
  } else if (text.find(':') == std::string::npos) {
    c.kind = "service";
  } else {
    const auto parts = words(text, ':', 6);
    c.account = parts[4];
    const auto path = words(parts[5], '/', 100);
    c.kind = path[0];
    c.name = path.size() > 1 ? path.back() : "";
    if (c.kind == "assumed-role") {
      c.name = path[1];
      c.session = path[2];
    }
  }
  return c;
}

struct World {
  const Policies& policies;
  const Request& request;
  Caller caller;

  bool is_unknown(const std::string& key) const {
    return std::ranges::find(request.unknown, key) != request.unknown.end();
  }
  std::vector<std::string> values(const std::string& key) const {
    if (const auto at = request.context.find(key); at != request.context.end()) return at->second;
    const bool identity = !caller.account.empty();
    if (key == "aws:username" && caller.kind == "user") return {caller.name};
    if (key == "aws:principalaccount" && identity) return {caller.account};
    if (key == "aws:principalarn" && identity) {
      if (caller.kind != "assumed-role") return {caller.text};
      return {"arn:aws:iam::" + caller.account + ":role/" + caller.name};
    }
    return {};
  }
};

struct Expanded {
  Symbols symbols;
  bool missing = false;
  bool hole = false;
};

Expanded expand(const World& w, const std::string& text, bool wild, bool variables) {
  Expanded out;
  const auto letters = [&](const std::string& s) {
    for (const char c : s) out.symbols.push_back({Symbol::Letter, c});
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (variables && text.compare(i, 2, "${") == 0) {
      const auto end = text.find('}', i);
      std::string name = text.substr(i + 2, end - i - 2);
      i = end;
      if (name == "*" || name == "?" || name == "$") {
        letters(name);
        continue;
      }
      std::optional<std::string> other;
      if (const auto comma = name.find(", '"); comma != std::string::npos) {
        other = name.substr(comma + 3, name.size() - comma - 4);
        name = name.substr(0, comma);
      }
      name = lower(name);
      const auto values = w.values(name);
      if (w.is_unknown(name) || values.size() > 1) {
        out.hole = true;
        out.symbols.push_back({Symbol::Hole, 0});
      } else if (values.size() == 1) {
        letters(values[0]);
      } else if (other) {
        letters(*other);
      } else {
        out.missing = true;
      }
    } else if (wild && text[i] == '*') {
      out.symbols.push_back({Symbol::Run, 0});
    } else if (wild && text[i] == '?') {
      out.symbols.push_back({Symbol::One, 0});
    } else {
      letters(text.substr(i, 1));
    }
  }
  return out;
}

Level text_matches(const World& w, const std::string& op, const std::string& pattern,
                   const std::string& value, bool variables) {
  const bool wild = op == "StringLike";
  auto e = expand(w, pattern, wild, variables);
  if (e.missing) return kNo;
  std::string v = value;
  if (op == "StringEqualsIgnoreCase") {
    if (e.hole) return kPerhaps;
    v = lower(v);
    for (auto& s : e.symbols) s.letter = lower(std::string(1, s.letter))[0];
  }
  if (!glob(e.symbols, v)) return kNo;
  return e.hole ? kPerhaps : kYes;
}

Level arn_matches(const World& w, const std::string& pattern, const std::string& value,
                  bool negated, bool variables) {
  const auto fields = words(value, ':', 6);
  if (expand(w, pattern, true, variables).missing) return kNo;
  if (fields.size() < 6 || fields[0] != "arn") return negated ? kPerhaps : kNo;
  const auto parts =
      words(pattern, ':', 6);  // the patterns of these tests have variables only last
  Level all = kYes;
  for (std::size_t i = 0; i < 6; ++i) {
    const auto e = expand(w, parts[i], true, variables);
    if (e.missing || !glob(e.symbols, fields[i])) return kNo;
    if (e.hole) all = kPerhaps;
  }
  return all;
}

std::optional<double> number_of(const std::string& text) {
  char* end = nullptr;
  const double d = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != 0) return std::nullopt;
  return d;
}

Level one_matches(const World& w, const std::string& op, bool negated, const std::string& operand,
                  const std::string& value, bool variables) {
  if (op == "Arn") return arn_matches(w, operand, value, negated, variables);
  if (op.starts_with("String")) return text_matches(w, op, operand, value, variables);
  const Level unreadable = negated ? kPerhaps : kNo;
  if (op == "Bool") {
    const auto a = lower(operand);
    const auto b = lower(value);
    if ((a != "true" && a != "false") || (b != "true" && b != "false")) return unreadable;
    return yes_if(a == b);
  }
  const auto a = number_of(value);
  const auto b = number_of(operand);
  if (!a || !b) return unreadable;
  if (op == "NumericEquals") return yes_if(*a == *b);
  if (op == "NumericLessThan") return yes_if(*a < *b);
  return yes_if(*a >= *b);
}

Level condition_holds(const World& w, std::string op, const std::string& key,
                      const std::vector<std::string>& operands, bool variables, bool deny) {
  std::string set;
  if (const auto colon = op.find(':'); colon != std::string::npos) {
    set = op.substr(0, colon);
    op = op.substr(colon + 1);
  }
  bool if_exists = false;
  if (op.ends_with("IfExists")) {
    if_exists = true;
    op = op.substr(0, op.size() - 8);
  }
  if (operands.empty() && set.empty() && !if_exists) {
    return deny || op.find("Not") != std::string::npos ? kPerhaps : kNo;
  }
  const bool unknown = w.is_unknown(key);
  const auto values = unknown ? std::vector<std::string>{} : w.values(key);
  if (op == "Null") {
    const auto says = [&](const char* t) {
      return std::ranges::find(operands, t) != operands.end();
    };
    if (unknown) return says("true") == says("false") ? yes_if(says("true")) : kPerhaps;
    return yes_if(says(values.empty() ? "true" : "false"));
  }
  bool negated = false;
  if (const auto at = op.find("Not"); at != std::string::npos) {
    negated = true;
    op = op.substr(0, at) + op.substr(at + 3);
  }
  if (op.starts_with("Arn")) op = "Arn";
  if (unknown) return kPerhaps;
  const bool null_set = !set.empty() && values == std::vector<std::string>{""};
  if (values.empty() || null_set) {
    if (if_exists || set == "ForAllValues") return kYes;
    if (set == "ForAnyValue") return kNo;
    return yes_if(negated);
  }
  Level all = kYes;
  Level any = kNo;
  for (const auto& value : values) {
    Level match = kNo;
    for (const auto& operand : operands) {
      match = std::max(match, one_matches(w, op, negated, operand, value, variables));
    }
    if (negated) match = 2 - match;
    all = std::min(all, match);
    any = std::max(any, match);
  }
  if (set == "ForAllValues") return all;
  if (set == "ForAnyValue" || values.size() == 1) return any;
  return any == kNo ? kNo : kPerhaps;
}

bool action_matches(const std::string& pattern, const std::string& action) {
  Symbols symbols;
  for (const char c : lower(pattern)) {
    symbols.push_back({c == '*' ? Symbol::Run : c == '?' ? Symbol::One : Symbol::Letter, c});
  }
  if (pattern == "*") return true;
  // The service has no colon; a star of the service does not reach the name.
  const auto p = words(lower(pattern), ':', 2);
  const auto a = words(lower(action), ':', 2);
  const auto part = [](const std::string& from) {
    Symbols out;
    for (const char c : from) {
      out.push_back({c == '*' ? Symbol::Run : c == '?' ? Symbol::One : Symbol::Letter, c});
    }
    return out;
  };
  return glob(part(p[0]), a[0]) && glob(part(p[1]), a[1]);
}

Level resource_matches(const World& w, const std::string& pattern, bool variables) {
  if (pattern == "*") return kYes;
  if (!w.request.resource) return kPerhaps;
  const auto e = expand(w, pattern, true, variables);
  if (e.missing || !glob(e.symbols, *w.request.resource)) return kNo;
  return e.hole ? kPerhaps : kYes;
}

// How a resource policy names the caller: "direct", "role", "account" or nothing.
std::string naming(const World& w, const std::string& type, const std::string& text) {
  const auto& c = w.caller;
  if (type == "Service") return c.kind == "service" && c.text == text ? "direct" : "";
  if (text == "*") return "direct";
  if (c.account.empty()) return "";
  if (text == c.account || text == "arn:aws:iam::" + c.account + ":root") {
    return c.kind == "root" ? "direct" : "account";
  }
  if (text == c.text) return c.kind == "role" ? "role" : "direct";
  if (c.kind == "assumed-role" && text == "arn:aws:iam::" + c.account + ":role/" + c.name) {
    return "role";
  }
  // Which user is behind a federated session, its ARN does not tell.
  if (c.kind == "federated-user" && text.starts_with("arn:aws:iam::" + c.account + ":user/")) {
    return "role, perhaps";
  }
  return "";
}

struct Sum {
  Level deny = kNo;
  std::map<std::string, Level> allow;  // by naming
  Level any() const {
    Level out = kNo;
    for (const auto& [name, level] : allow) out = std::max(out, level);
    return out;
  }
  Level of(const std::string& name) const { return allow.contains(name) ? allow.at(name) : kNo; }
};

void add_statement(const World& w, json::Value s, bool variables, Sum& sum) {
  const bool not_action = s.find("NotAction").has_value();
  bool action = false;
  for (const auto a : list_of(*s.find(not_action ? "NotAction" : "Action"))) {
    action = action || action_matches(std::string(a.string()), w.request.action);
  }
  if (action == not_action) return;
  const bool not_resource = s.find("NotResource").has_value();
  Level rest = kNo;
  for (const auto r : list_of(*s.find(not_resource ? "NotResource" : "Resource"))) {
    rest = std::max(rest, resource_matches(w, std::string(r.string()), variables));
  }
  if (not_resource) rest = 2 - rest;
  if (const auto conditions = s.find("Condition")) {
    for (const auto& [op, o1, block] : conditions->members()) {
      for (const auto& [key, o2, value] : block.members()) {
        std::vector<std::string> operands;
        for (const auto v : list_of(value)) operands.push_back(text_of(v));
        rest = std::min(rest, condition_holds(w, std::string(op), lower(std::string(key)), operands,
                                              variables, s.find("Effect")->string() == "Deny"));
      }
    }
  }
  std::vector<std::string> names{"direct"};
  if (const auto principal = s.find("Principal"); principal && principal->is(json::Kind::Object)) {
    names.clear();
    for (const auto& [type, o, value] : principal->members()) {
      for (const auto v : list_of(value)) {
        names.push_back(naming(w, std::string(type), std::string(v.string())));
      }
    }
  }
  for (auto name : names) {
    if (name.empty()) continue;
    Level level = rest;
    if (name == "role, perhaps") {
      level = std::min(level, kPerhaps);
      name = "role";
    }
    if (s.find("Effect")->string() == "Deny") {
      sum.deny = std::max(sum.deny, level);
    } else {
      sum.allow[name] = std::max(sum.of(name), level);
    }
  }
}

Sum sum_of(const World& w, const std::vector<std::string>& documents) {
  Sum sum;
  for (const auto& text : documents) {
    const auto parsed = json::parse(text);
    const auto root = parsed->root();
    const auto version = root.find("Version");
    const bool variables = version && version->string() == "2012-10-17";
    for (const auto s : list_of(*root.find("Statement"))) add_statement(w, s, variables, sum);
  }
  return sum;
}

Level grant(const World& w, const Sum& identity, const Sum& boundary, const Sum& session,
            const Sum& resource, bool same) {
  const auto& kind = w.caller.kind;
  const auto& p = w.policies;
  if (kind == "anonymous" || kind == "service") return resource.of("direct");
  const bool root = kind == "root";
  const Level i = root ? kYes : identity.any();
  const Level b = p.boundary.empty() || root ? kYes : boundary.any();
  Level s = p.session.empty() ? kYes : session.any();
  if (p.session.empty() && kind == "federated-user") s = kNo;
  if (!same) return std::min({i, b, s, resource.any()});
  return std::max(resource.of("direct"), std::min({b, s, std::max(resource.of("role"), i)}));
}

}  // namespace

Outcome decide(const Policies& p, const Request& request) {
  const World w{p, request, caller_of(request.principal)};
  const bool stranger = w.caller.account.empty();
  const bool root = w.caller.kind == "root";
  const Sum identity = stranger || root ? Sum{} : sum_of(w, p.identity);
  const Sum boundary = stranger || root ? Sum{} : sum_of(w, p.boundary);
  const Sum session = stranger ? Sum{} : sum_of(w, p.session);
  const Sum resource = sum_of(w, p.resource);
  const Sum endpoint = sum_of(w, p.endpoint);
  Level deny = std::max({identity.deny, boundary.deny, session.deny, resource.deny, endpoint.deny});
  Level limits = kYes;
  if (!p.endpoint.empty()) {
    // An S3 endpoint may be a gateway endpoint, where an account means its root user.
    const bool gateway = lower(request.action).starts_with("s3:");
    const Level account = std::min(endpoint.of("account"), gateway ? kPerhaps : kYes);
    limits = std::min(limits, std::max({endpoint.of("direct"), endpoint.of("role"), account}));
  }
  for (const auto& level : p.scp) {
    if (stranger) break;
    const Sum scp = sum_of(w, level);
    deny = std::max(deny, scp.deny);
    limits = std::min(limits, scp.any());
  }
  for (const auto& level : p.rcp) {
    if (request.action.starts_with("ec2:")) break;
    deny = std::max(deny, sum_of(w, level).deny);
  }
  if (deny == kYes) return Outcome::ExplicitDeny;
  // Who owns the resource?
  std::optional<bool> same;
  if (stranger) {
    same = true;
  } else if (request.account) {
    same = *request.account == w.caller.account;
  } else if (request.resource) {
    const auto fields = words(*request.resource, ':', 6);
    if (*request.resource == "*" || (fields[4].empty() && fields[2] != "s3")) {
      same = true;
    } else if (!fields[4].empty()) {
      same = fields[4] == w.caller.account;
    }
  }
  Level given = grant(w, identity, boundary, session, resource, same.value_or(true));
  if (!same && grant(w, identity, boundary, session, resource, false) != given) given = kPerhaps;
  given = std::min(given, limits);
  if (deny == kPerhaps || given == kPerhaps) return Outcome::Undetermined;
  return given == kYes ? Outcome::Allowed : Outcome::ImplicitDeny;
}

}  // namespace remit::iam::reference
