#pragma once

// HTTP messages as data: no sockets, no Asio. Every field keeps its bytes and its order.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace remit::http {

struct Field {
  std::string name;   // as sent; compare ignoring ASCII case
  std::string value;  // without leading and trailing blanks
};
using Fields = std::vector<Field>;

// The first field of that name, ignoring case; nullptr when there is none.
const Field* find(std::span<const Field> fields, std::string_view name);
std::size_t count(std::span<const Field> fields, std::string_view name);
void remove(Fields& fields, std::string_view name);
void set(Fields& fields, std::string_view name, std::string value);  // replaces all, or appends

struct RequestHead {
  std::string method;
  std::string target;  // as sent: origin form, absolute form, or authority form for CONNECT
  int version = 11;    // 10, 11, or 20: then Host is what :authority said
  Fields fields;
};

struct ResponseHead {
  int status = 0;
  std::string reason;
  int version = 11;
  Fields fields;
};

}  // namespace remit::http
