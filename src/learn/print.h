#pragma once

// The learnt policy as it is pasted into remit.yaml, and as JSON.

#include <string>
#include <vector>

#include "json/writer.h"
#include "learn/learn.h"

namespace remit::learn {

// "session:" and its statements, each line behind `indent` blanks.
std::string to_yaml(const std::vector<rules::PlainStatement>& statements, std::size_t indent);
void write_json(json::Writer& writer, const std::vector<rules::PlainStatement>& statements);

}  // namespace remit::learn
