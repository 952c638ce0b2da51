#pragma once

// Man pages from the pages of docs/: as much of Markdown as those use, in the macros of man(7) that
// groff and mandoc both know.

#include <functional>
#include <string>
#include <string_view>

namespace remit::cli {

// "docs/explain.md" -> "remit-explain(1)"; empty: the reference stays as it is written.
using PageName = std::function<std::string(std::string_view path)>;

// Text as roff takes it. In code every hyphen is a minus sign, so that it can be copied.
enum class Use : bool { Prose, Code };
std::string roff_text(std::string_view text, Use use);

// Words of such text on lines of the source, no longer than roff's readers like.
std::string roff_lines(std::string_view text);

// `macro` on a line of its own with the text as its argument.
std::string roff_heading(std::string_view macro, std::string_view text);

// Blocks of Markdown: paragraphs, headings (## is a section, ### one below it), lists, tables (the
// first column is the term), fenced code. Comments are dropped, relative links lose their target.
std::string roff_blocks(std::string_view markdown, const PageName& page_name);

// The text before the first "## ", without the title; and what follows the heading of this name.
std::string_view introduction(std::string_view markdown);
std::string_view sections(std::string_view markdown);  // from the first "## " on
std::string_view section(std::string_view markdown, std::string_view title);

}  // namespace remit::cli
