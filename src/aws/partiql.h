#pragma once

// Just enough of DynamoDB's PartiQL to know what a statement does to which table.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html

#include <cstdint>
#include <string>
#include <string_view>

namespace remit::aws {

enum class PartiqlVerb : std::uint8_t { Unknown, Select, Insert, Update, Delete };

struct PartiqlStatement {
  PartiqlVerb verb = PartiqlVerb::Unknown;
  std::string table;  // empty: not understood
  std::string index;
};

// Unknown, or a verb without a table, wherever the statement leaves a doubt.
PartiqlStatement read_partiql(std::string_view text);

}  // namespace remit::aws
