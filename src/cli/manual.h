#pragma once

// The man pages: name, synopsis, commands and options from the table, the prose from docs/.

#include <string>
#include <string_view>

#include "cli/roff.h"
#include "cli/table.h"

namespace remit::cli {

struct PageFacts {
  std::string version;
  std::string date;  // 2026-11-21
  PageName page_name;
};

// remit(1). `about` is Markdown: what the program is, and its sections.
std::string program_page(const Verb& program, std::string_view about, const PageFacts& facts);
// remit-VERB(1), from the verb and its page of docs/.
std::string verb_page(const Verb& verb, std::string_view about, const PageFacts& facts);
// remit.yaml(5).
std::string file_page(std::string_view about, const PageFacts& facts);

}  // namespace remit::cli
