#include "net/http.h"

#include <algorithm>

#include "base/encoding.h"

namespace remit::http {

const Field* find(std::span<const Field> fields, std::string_view name) {
  for (const Field& field : fields) {
    if (equals_ignoring_ascii_case(field.name, name)) return &field;
  }
  return nullptr;
}

std::size_t count(std::span<const Field> fields, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::count_if(
      fields, [&](const Field& f) { return equals_ignoring_ascii_case(f.name, name); }));
}

void remove(Fields& fields, std::string_view name) {
  std::erase_if(fields, [&](const Field& f) { return equals_ignoring_ascii_case(f.name, name); });
}

void set(Fields& fields, std::string_view name, std::string value) {
  const auto same = [&](const Field& f) { return equals_ignoring_ascii_case(f.name, name); };
  const auto first = std::ranges::find_if(fields, same);
  if (first == fields.end()) {
    fields.push_back(Field{std::string(name), std::move(value)});
    return;
  }
  first->value = std::move(value);
  fields.erase(std::remove_if(first + 1, fields.end(), same), fields.end());
}

}  // namespace remit::http
