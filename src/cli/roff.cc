#include "cli/roff.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/utf8.h"

namespace remit::cli {
namespace {

constexpr std::size_t kLineWidth = 78;  // of the roff source
// A word longer than this may be broken after its separators.
constexpr std::size_t kLongWord = 24;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// The code point that the text begins with.
char32_t take_code_point(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = std::max<std::size_t>(utf8_length(text), 1);
  char32_t point = size == 1 ? lead : lead & (0x7Fu >> size);
  for (std::size_t i = 1; i < size; ++i)
    point = (point << 6) | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  text.remove_prefix(size);
  return point;
}

bool breaks_after(char32_t point) {
  return point == '/' || point == ':' || point == ',' || point == '.' || point == '_';
}

struct Inline {
  const PageName& page_name;

  std::string code(std::string_view text) const {
    if (const std::string page = page_name(text); !page.empty()) return bold(page);
    return bold(text);
  }
  static std::string bold(std::string_view text) {
    return "\\fB" + roff_text(text, Use::Code) + "\\fR";
  }

  // [text](target): a target on the web is said, one in the repository is not.
  std::string link(std::string_view text, std::string_view target) const {
    if (target.starts_with("https://"))
      return fmt::format("{} <{}>", marked(text), roff_text(target, Use::Code));
    const std::string page = page_name(fmt::format("docs/{}", target));
    return page.empty() ? marked(text) : bold(page);
  }

  std::string marked(std::string_view text) const {
    std::string out;
    std::string plain;
    const auto flush = [&] {
      out += roff_text(plain, Use::Prose);
      plain.clear();
    };
    // What stands between the mark at the front and the next such mark.
    const auto between = [&](std::string_view mark) -> std::string_view {
      if (!text.starts_with(mark)) return {};
      const std::size_t end = text.find(mark, mark.size());
      return end == std::string_view::npos ? std::string_view()
                                           : text.substr(mark.size(), end - mark.size());
    };
    while (!text.empty()) {
      if (const auto inner = between("`"); !inner.empty()) {
        flush();
        out += code(inner);
        text.remove_prefix(inner.size() + 2);
      } else if (const auto strong = between("**"); !strong.empty()) {
        flush();
        out += bold(strong);
        text.remove_prefix(strong.size() + 4);
      } else if (const auto stress = between("*");
                 !stress.empty() && stress.front() != ' ' && stress.front() != '*') {
        flush();
        out += "\\fI" + roff_text(stress, Use::Prose) + "\\fR";
        text.remove_prefix(stress.size() + 2);
      } else if (const std::size_t close = text.starts_with('[') ? text.find("](") : text.npos;
                 close != text.npos && text.find(')', close) != text.npos) {
        flush();
        const std::size_t end = text.find(')', close);
        out += link(text.substr(1, close - 1), text.substr(close + 2, end - close - 2));
        text.remove_prefix(end + 1);
      } else {
        if (text.front() == '\\' && text.size() > 1) text.remove_prefix(1);
        plain += text.front();
        text.remove_prefix(1);
      }
    }
    flush();
    return out;
  }
};

// The cells of "| a | b |"; a bar within code or behind a backslash is text.
std::vector<std::string> cells_of(std::string_view line) {
  line = trimmed(line);
  line.remove_prefix(1);
  if (line.ends_with('|')) line.remove_suffix(1);
  std::vector<std::string> cells(1);
  bool in_code = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '|') {
      cells.back() += line[++i];
      continue;
    }
    if (line[i] == '`') in_code = !in_code;
    if (line[i] == '|' && !in_code)
      cells.emplace_back();
    else
      cells.back() += line[i];
  }
  for (std::string& cell : cells) cell = std::string(trimmed(cell));
  return cells;
}

class Blocks {
 public:
  Blocks(std::string_view markdown, const PageName& page_name)
      : lines_(lines_of(markdown)), inline_{page_name} {}

  std::string convert() {
    while (at_ < lines_.size()) block();
    return std::move(out_);
  }

 private:
  void block() {
    const std::string_view line = lines_[at_];
    if (trimmed(line).empty() || line.starts_with("# ")) {
      ++at_;
    } else if (line.starts_with("<!--")) {
      while (at_ < lines_.size() && !lines_[at_].contains("-->")) ++at_;
      ++at_;
    } else if (line.starts_with("### ")) {
      heading(".SS", line.substr(4));
    } else if (line.starts_with("## ")) {
      heading(".SH", line.substr(3));
    } else if (line.starts_with("```")) {
      code();
    } else if (line.starts_with("|")) {
      table();
    } else if (marker(line) > 0) {
      item();
    } else {
      paragraph();
    }
  }

  void heading(std::string_view macro, std::string_view text) {
    out_ += roff_heading(macro, text);
    fresh_ = true;
    ++at_;
  }

  // Nothing may stand between a heading and its first paragraph.
  void part() {
    if (!fresh_) out_ += ".PP\n";
    fresh_ = false;
  }

  void code() {
    part();
    out_ += ".RS 4\n.EX\n";
    for (++at_; at_ < lines_.size() && !lines_[at_].starts_with("```"); ++at_) {
      const std::string text = roff_text(lines_[at_], Use::Code);
      out_ += text.starts_with('.') ? "\\&" + text : text;
      out_ += '\n';
    }
    ++at_;
    out_ += ".EE\n.RE\n";
  }

  // The length of "- " or "1. " at the line's begin; 0: none.
  static std::size_t marker(std::string_view line) {
    if (line.starts_with("- ")) return 2;
    const std::size_t digits = line.find_first_not_of("0123456789");
    const bool numbered =
        digits != 0 && digits != std::string_view::npos && line.substr(digits).starts_with(". ");
    return numbered ? digits + 2 : 0;
  }

  // The line and those that go on with it.
  std::string joined(std::size_t skip) {
    std::string text(lines_[at_++].substr(skip));
    while (at_ < lines_.size()) {
      const std::string_view line = lines_[at_];
      if (trimmed(line).empty() || line.starts_with("```") || line.starts_with('|') ||
          line.starts_with('#') || line.starts_with("<!--") || marker(line) > 0)
        break;
      text += ' ';
      text += trimmed(line);
      ++at_;
    }
    return text;
  }

  void item() {
    const std::string_view line = lines_[at_];
    const std::size_t size = marker(line);
    out_ += size == 2 && line.front() == '-'
                ? std::string(".IP \\(bu 2\n")
                : fmt::format(".IP {} 4\n", trimmed(line.substr(0, size)));
    out_ += roff_lines(inline_.marked(joined(size)));
    fresh_ = false;
  }

  void paragraph() {
    part();
    const bool quote = lines_[at_].starts_with("> ");
    out_ += roff_lines(inline_.marked(joined(quote ? 2 : 0)));
  }

  // The first column is a term, the second tells it, what stands in others is named by their heads.
  void table() {
    const std::vector<std::string> heads = cells_of(lines_[at_]);
    for (at_ += 2; at_ < lines_.size() && lines_[at_].starts_with('|'); ++at_) {
      const std::vector<std::string> cells = cells_of(lines_[at_]);
      const bool bare = cells.front().empty();
      out_ += ".TP\n" + (bare ? "\\(bu\n" : roff_lines(inline_.marked(cells.front())));
      std::string rest = cells.size() > 1 ? cells[1] : "";
      for (std::size_t i = 2; i < cells.size() && i < heads.size(); ++i) {
        if (cells[i].empty()) continue;
        if (!rest.empty() && !rest.ends_with('.')) rest += '.';
        rest += fmt::format(" {}: {}", heads[i], cells[i]);
      }
      out_ += roff_lines(inline_.marked(rest));
    }
    fresh_ = false;
  }

  std::vector<std::string_view> lines_;
  Inline inline_;
  std::size_t at_ = 0;
  bool fresh_ = true;
  std::string out_;
};

}  // namespace

std::string roff_text(std::string_view text, Use use) {
  std::string out;
  std::size_t word = 0;  // since the last space
  while (!text.empty()) {
    const char32_t point = take_code_point(text);
    word = point == ' ' ? 0 : word + 1;
    switch (point) {
      case '\\':
        out += "\\e";
        break;
      case '"':
        out += "\\(dq";
        break;
      case '\'':
        out += use == Use::Code ? "\\(aq" : "'";
        break;
      case '`':
        out += "\\(ga";
        break;
      case '^':
        out += "\\(ha";
        break;
      case '~':
        out += "\\(ti";
        break;
      case '-':
        out += use == Use::Code ? "\\-" : "-";
        break;
      default:
        if (point < 0x80)
          out += static_cast<char>(point);
        else
          out += fmt::format("\\[u{:04X}]", static_cast<std::uint32_t>(point));
    }
    if (use == Use::Code && word > kLongWord && breaks_after(point)) out += "\\:";
  }
  return out;
}

// A word that roff would take for a request is guarded.
std::string roff_lines(std::string_view text) {
  std::string out;
  std::size_t width = 0;
  while (!(text = trimmed(text)).empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end);
    if (width > 0 && width + 1 + word.size() > kLineWidth) {
      out += '\n';
      width = 0;
    }
    if (width > 0) out += ' ';
    if (width == 0 && (word.front() == '.' || word.front() == '\'')) out += "\\&";
    out += word;
    width += word.size() + 1;
  }
  out += '\n';
  return out;
}

std::string roff_heading(std::string_view macro, std::string_view text) {
  std::string plain;
  for (const char c : text)
    if (c != '`' && c != '*') plain += c;
  return fmt::format("{} {}\n", macro, roff_text(plain, Use::Prose));
}

std::string roff_blocks(std::string_view markdown, const PageName& page_name) {
  return Blocks(markdown, page_name).convert();
}

std::string_view introduction(std::string_view markdown) {
  return markdown.substr(0, markdown.find("\n## "));
}

std::string_view sections(std::string_view markdown) {
  const std::size_t first = markdown.find("\n## ");
  return first == std::string_view::npos ? std::string_view() : markdown.substr(first + 1);
}

std::string_view section(std::string_view markdown, std::string_view title) {
  for (const std::string_view level : {"\n## ", "\n### "}) {
    const std::size_t found = markdown.find(fmt::format("{}{}\n", level, title));
    if (found == std::string_view::npos) continue;
    const std::string_view body = markdown.substr(found + level.size() + title.size() + 1);
    return body.substr(0, std::min(body.find("\n## "), body.find(level)));
  }
  return {};
}

}  // namespace remit::cli
