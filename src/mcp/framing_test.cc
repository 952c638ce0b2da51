#include "mcp/framing.h"

namespace remit::mcp {
namespace {

std::vector<std::string> all(LineReader& reader) {
  std::vector<std::string> lines;
  while (auto line = reader.next()) lines.push_back(line->too_long ? "<too long>" : line->text);
  return lines;
}

TEST(Framing, CutsLinesHoweverTheBytesArrive) {
  const std::string bytes = "one\r\n\n\ntwo\nthree\nrest";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    LineReader reader;
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < bytes.size(); i += step) {
      reader.feed(std::string_view(bytes).substr(i, step));
      for (auto& line : all(reader)) lines.push_back(line);
    }
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "three"})) << step;
    EXPECT_EQ(reader.held(), 4u) << step;
  }
}

TEST(Framing, ALineBeyondTheCapIsReportedOnceAndHoldsNoMemory) {
  LineReader reader(8);
  for (int i = 0; i < 1000; ++i) {
    reader.feed("0123456789");
    EXPECT_TRUE(all(reader).empty());
    EXPECT_EQ(reader.held(), 0u);
  }
  reader.feed("tail\nok\n");
  EXPECT_EQ(all(reader), (std::vector<std::string>{"<too long>", "ok"}));
}

TEST(Framing, TheCapItselfStillFits) {
  LineReader reader(4);
  reader.feed("1234\n12345\n1\n");
  EXPECT_EQ(all(reader), (std::vector<std::string>{"1234", "<too long>", "1"}));
}

}  // namespace
}  // namespace remit::mcp
