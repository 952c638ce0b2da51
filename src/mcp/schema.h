#pragma once

// Validates a tool's arguments against its inputSchema: the part of JSON Schema (2020-12 and
// draft-07) that tools use. Known: type, enum, const, properties, required, additionalProperties,
// patternProperties, propertyNames, min/maxProperties, items, prefixItems, min/maxItems,
// uniqueItems, min/maxLength, pattern (RE2), minimum, maximum, exclusive ones, multipleOf for
// integers, allOf, anyOf, oneOf, not, if/then/else, $ref within the document, boolean schemas.
// Anything else is ignored, as JSON Schema says; a `$ref` to elsewhere is never fetched: it is an
// error. Work is bounded: a schema that asks for too much of it is an error, not an answer.

#include <string>

#include "base/result.h"
#include "json/json.h"

namespace remit::mcp {

// InvalidInput names the place in `value` and what would be right, for the agent to mend.
Result<> validate(json::Value schema, json::Value value);

}  // namespace remit::mcp
