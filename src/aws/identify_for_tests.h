#pragma once

// Requests and answers of identification, for tests and benchmarks.

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/arn.h"
#include "aws/identify.h"

namespace remit::aws::testing {

inline const Catalogue& catalogue() {
  static const Catalogue kCatalogue = [] {
    auto opened = Catalogue::embedded();
    if (!opened) std::abort();
    return *std::move(opened);
  }();
  return kCatalogue;
}

struct Request {
  std::string service = {};  // of the scope
  std::string method = "POST";
  std::string target = "/";
  http::Fields fields = {};
  std::string body = {};
  std::string host = {};  // of CONNECT
  std::string region = "us-east-1";
  std::string account = "111122223333";
  bool keys = true;

  Result<Identified> identify() const {
    http::RequestHead head{method, target, 11, fields};
    RequestFacts facts;
    facts.head = &head;
    facts.host = host;
    facts.scope_region = region;
    facts.scope_service = service;
    facts.account = account;
    facts.partition = partition_of_region(region);
    facts.places = true;
    facts.keys = keys;
    return aws::identify(catalogue(), facts, body);
  }
};

inline Request at(Request request, std::string host, std::string region) {
  request.host = std::move(host);
  request.region = std::move(region);
  return request;
}

inline Request json(std::string service, const std::string& target, std::string body) {
  return {.service = std::move(service),
          .fields = {{"X-Amz-Target", target}, {"Content-Type", "application/x-amz-json-1.0"}},
          .body = std::move(body)};
}

inline Request form(std::string service, std::string body) {
  return {.service = std::move(service),
          .fields = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
          .body = std::move(body)};
}

inline Request s3(std::string method, std::string target, http::Fields fields = {},
                  std::string body = {}) {
  return {.service = "s3",
          .method = std::move(method),
          .target = std::move(target),
          .fields = std::move(fields),
          .body = std::move(body)};
}

// "s3:GetObject arn:aws:s3:::b/k; ..." with "?" for a resource that is not known.
inline std::string words(const Result<Identified>& found) {
  if (!found) return "refused: " + found.error().message;
  std::string text(found->operation);
  text += ":";
  for (const ActionRequest& request : found->actions) {
    text += text.ends_with(":") ? " " : "; ";
    text += request.action;
    for (const std::string& resource : request.resources) text += " " + resource;
    if (request.resource_unknown) text += " ?";
  }
  return text;
}

inline const ActionRequest* find(const Identified& found, std::string_view action) {
  for (const ActionRequest& request : found.actions)
    if (request.action == action) return &request;
  return nullptr;
}

// The values of a context key, joined; "absent", or "unknown".
inline std::string context(const ActionRequest& request, std::string_view key) {
  for (const ContextEntry& entry : request.context) {
    if (entry.key != key) continue;
    std::string text;
    for (const std::string& value : entry.values) text += (text.empty() ? "" : ",") + value;
    return text;
  }
  for (const std::string_view unknown : request.unknown_keys)
    if (unknown == key) return "unknown";
  return "absent";
}

}  // namespace remit::aws::testing
