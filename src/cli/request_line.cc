#include "cli/request_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/encoding.h"
#include "remit/reader.h"

namespace remit::cli {
namespace {

constexpr std::array<std::string_view, 9> kFields = {
    "id", "method", "target", "loopback_target", "host", "headers", "body", "body_b64", "scope"};
// Labels of published collections of requests.
constexpr std::array<std::string_view, 4> kLabels = {"service", "op", "proto",
                                                     "loopback_candidates"};

bool is_loopback(std::string_view host) {
  const std::string_view name = host.substr(0, host.rfind(':'));
  return host.empty() || name == "127.0.0.1" || name == "localhost" || name == "[::1]" ||
         host == "127.0.0.1" || host == "localhost";
}

// A field that stands there; null is as good as absent.
std::optional<json::Value> given(json::Value row, std::string_view field) {
  auto found = row.find(field);
  if (found && found->is(json::Kind::Null)) found.reset();
  return found;
}

}  // namespace

std::unexpected<Error> RequestLines::wrong(json::Value at, std::string_view field,
                                           std::string_view must) const {
  return fail(ErrorCode::InvalidInput,
              fmt::format("line {}, column {}: `{}` must be {}, not {}", line_,
                          at.position().column, field, must, json::name_of(at.kind())));
}

Result<std::string> RequestLines::text(json::Value row, std::string_view field) const {
  const auto found = given(row, field);
  if (!found) return std::string();
  if (!found->is(json::Kind::String)) return wrong(*found, field, "a string");
  return std::string(found->string());
}

Result<> RequestLines::headers(json::Value row, http::Fields& into) const {
  const auto found = given(row, "headers");
  if (!found) return {};
  constexpr std::string_view kMust = "an object of strings like {\"content-type\": \"text/xml\"}";
  if (!found->is(json::Kind::Object)) return wrong(*found, "headers", kMust);
  for (const auto& [name, offset, value] : found->members()) {
    if (!value.is(json::Kind::String))
      return wrong(value, fmt::format("headers.{}", name), "a string");
    into.push_back({std::string(name), std::string(value.string())});
  }
  return {};
}

Result<> RequestLines::body(json::Value row, RequestLine& line) const {
  REMIT_TRY(line.body, text(row, "body"));
  REMIT_TRY(const std::string encoded, text(row, "body_b64"));
  const auto found = given(row, "body_b64");
  if (!found) return {};
  const auto where = fmt::format("line {}, column {}: `body_b64`", line_, found->position().column);
  if (given(row, "body")) {
    return fail(ErrorCode::InvalidInput, where + " and `body` are both given: one of them");
  }
  auto decoded = unbase64(encoded);
  if (!decoded) return fail(ErrorCode::InvalidInput, where + " must be base64 (RFC 4648)");
  line.body = *std::move(decoded);
  return {};
}

Result<> RequestLines::scope(json::Value row, RequestLine& line) const {
  const auto found = given(row, "scope");
  if (!found) return {};
  constexpr std::string_view kMust = "two strings, [region, signing name]";
  if (!found->is(json::Kind::Array)) return wrong(*found, "scope", kMust);
  if (found->size() != 2) {
    return fail(ErrorCode::InvalidInput,
                fmt::format("line {}, column {}: `scope` must be {}, not {} values", line_,
                            found->position().column, kMust, found->size()));
  }
  std::string* into = &line.region;
  for (const json::Value part : found->elements()) {
    if (!part.is(json::Kind::String)) return wrong(part, "scope", kMust);
    *into = part.string();
    into = &line.service;
  }
  return {};
}

Result<> RequestLines::unknown_fields(json::Value row) {
  for (const auto& [name, offset, value] : row.members()) {
    if (std::ranges::find(kFields, name) != kFields.end()) continue;
    if (std::ranges::find(kLabels, name) != kLabels.end()) continue;
    if (const std::string hint = rules::did_you_mean(name, kFields); !hint.empty()) {
      return fail(ErrorCode::InvalidInput, fmt::format("line {}, column {}: `{}` is no field{}",
                                                       line_, offset + 1, name, hint));
    }
    passed_over_.emplace(name);
  }
  return {};
}

Result<RequestLine> RequestLines::fields_of(json::Value row) {
  REMIT_CHECKED(unknown_fields(row));
  RequestLine line;
  REMIT_TRY(line.head.method, text(row, "method"));
  REMIT_TRY(line.head.target, text(row, "target"));
  REMIT_TRY(const std::string loopback_target, text(row, "loopback_target"));
  REMIT_TRY(line.host, text(row, "host"));
  REMIT_CHECKED(headers(row, line.head.fields));
  REMIT_CHECKED(body(row, line));
  REMIT_CHECKED(scope(row, line));
  if (no_host_ || is_loopback(line.host)) {
    line.host.clear();
    if (!loopback_target.empty()) line.head.target = loopback_target;
  }
  for (const auto& [field, value] :
       {std::pair<std::string_view, const std::string&>{"method", line.head.method},
        {"target", line.head.target}}) {
    if (value.empty()) {
      return fail(ErrorCode::InvalidInput,
                  fmt::format("line {}: a request needs `{}`, a string", line_, field));
    }
  }
  return line;
}

Result<std::optional<RequestLine>> RequestLines::read(const std::string& text, std::string& id) {
  ++line_;
  id.clear();
  if (trim_ascii(text).empty()) return std::nullopt;
  const auto document = json::parse(text);
  if (!document) {
    const json::ParseError& error = document.error();
    return fail(ErrorCode::InvalidInput,
                fmt::format("line {}, column {}: {}", line_, error.position.column, error.message));
  }
  const json::Value row = document->root();
  if (!row.is(json::Kind::Object)) {
    return fail(ErrorCode::InvalidInput, fmt::format("line {}: a request is an object, not {}",
                                                     line_, json::name_of(row.kind())));
  }
  if (const auto found = row.find("id")) id = found->raw();
  REMIT_TRY(auto line, fields_of(row));
  return line;
}

}  // namespace remit::cli
