#include "aws/partiql.h"

#include <optional>
#include <vector>

#include "base/encoding.h"

namespace remit::aws {
namespace {

struct Token {
  enum class Kind { Word, Quoted, String, Symbol } kind = Kind::Symbol;
  std::string text;
  bool is(std::string_view word) const {
    return kind == Kind::Word && equals_ignoring_ascii_case(text, word);
  }
};

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '$';
}

// nullopt on comments, open quotes and control bytes: nothing that readers may take differently.
std::optional<std::vector<Token>> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++i;
    } else if (c == '"' || c == '\'') {
      Token token{c == '"' ? Token::Kind::Quoted : Token::Kind::String, {}};
      for (++i;; ++i) {
        if (i >= text.size()) return std::nullopt;
        if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == c)
          return std::nullopt;  // an escape to some readers, the end to others
        if (text[i] == c) {
          if (i + 1 < text.size() && text[i + 1] == c) {
            ++i;  // doubled: the quote itself
          } else {
            break;
          }
        }
        token.text += text[i];
      }
      ++i;
      tokens.push_back(std::move(token));
    } else if (text.substr(i, 2) == "--" || text.substr(i, 2) == "/*" || c == '`' ||
               static_cast<unsigned char>(c) < 0x20) {
      return std::nullopt;
    } else if (is_word_char(c)) {
      std::size_t end = i;
      while (end < text.size() && is_word_char(text[end]) && text.substr(end, 2) != "--") ++end;
      tokens.push_back({Token::Kind::Word, std::string(text.substr(i, end - i))});
      i = end;
    } else {
      tokens.push_back({Token::Kind::Symbol, std::string(1, c)});
      ++i;
    }
  }
  return tokens;
}

// A table, with its index, at `at`: "table"."index", table.index.
void read_table(const std::vector<Token>& tokens, std::size_t at, PartiqlStatement& out) {
  const auto name = [&](std::size_t i) {
    return i < tokens.size() &&
           (tokens[i].kind == Token::Kind::Quoted || tokens[i].kind == Token::Kind::Word);
  };
  const auto dot = [&](std::size_t i) {
    return i < tokens.size() && tokens[i].kind == Token::Kind::Symbol && tokens[i].text == ".";
  };
  if (!name(at)) return;
  if (dot(at + 1)) {
    if (!name(at + 2) || dot(at + 3)) return;
    out.index = tokens[at + 2].text;
  }
  out.table = tokens[at].text;
}

// The first word of that text outside parentheses and brackets from `at`; all of them must be one.
std::optional<std::size_t> only_word(const std::vector<Token>& tokens, std::size_t at,
                                     std::string_view word) {
  std::optional<std::size_t> found;
  for (std::size_t i = at; i < tokens.size(); ++i) {
    if (!tokens[i].is(word)) continue;
    if (found) return std::nullopt;
    found = i;
  }
  return found;
}

}  // namespace

PartiqlStatement read_partiql(std::string_view text) {
  PartiqlStatement statement;
  const auto tokens = tokens_of(text);
  if (!tokens || tokens->empty()) return statement;
  for (std::size_t i = 0; i + 1 < tokens->size(); ++i)
    if ((*tokens)[i].text == ";" && (*tokens)[i].kind == Token::Kind::Symbol) return statement;
  std::size_t at = 0;
  if ((*tokens)[0].is("EXISTS") && tokens->size() > 1 && (*tokens)[1].text == "(") at = 2;
  const auto word = [&](std::size_t i, std::string_view w) {
    return i < tokens->size() && (*tokens)[i].is(w);
  };
  if (word(at, "SELECT")) {
    statement.verb = PartiqlVerb::Select;
    if (const auto from = only_word(*tokens, at, "FROM")) read_table(*tokens, *from + 1, statement);
  } else if (word(at, "INSERT") && word(at + 1, "INTO")) {
    statement.verb = PartiqlVerb::Insert;
    read_table(*tokens, at + 2, statement);
  } else if (word(at, "UPDATE")) {
    statement.verb = PartiqlVerb::Update;
    read_table(*tokens, at + 1, statement);
  } else if (word(at, "DELETE") && word(at + 1, "FROM")) {
    statement.verb = PartiqlVerb::Delete;
    read_table(*tokens, at + 2, statement);
  }
  return statement;
}

}  // namespace remit::aws
