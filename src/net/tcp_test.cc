// A stream over a bare socket, against a raw one: what is read, waited for and let go.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "base/file_handle.h"
#include "net/stream.h"

namespace remit::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using SystemError = boost::system::error_code;

// Reads until the end or an error, a piece of at most `room` bytes at a time.
struct Reading {
  std::string bytes;
  std::size_t reads = 0;
  SystemError ended;

  static Task<> run(Stream& stream, std::size_t room, Reading& into) {
    std::string piece(room, '\0');
    while (!into.ended) {
      const auto buffer = asio::buffer(piece);
      auto [ec, n] = co_await stream.read_some(buffer);
      into.ended = ec;
      into.bytes.append(piece, 0, n);
      ++into.reads;
    }
  }
};

Task<> read_once(Stream& of, std::array<char, 64>& into) {
  const auto buffer = asio::buffer(into);
  [[maybe_unused]] auto read = co_await of.read_some(buffer);
}

class TcpPair : public testing::Test {
 protected:
  TcpPair() {
    const FileHandle listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* const address = reinterpret_cast<sockaddr*>(&at);
    EXPECT_EQ(::bind(listener.get(), address, size), 0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    EXPECT_EQ(::getsockname(listener.get(), address, &size), 0);
    peer = FileHandle(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(peer.get(), address, size), 0);
    Socket socket(loop);
    socket.assign(asio::ip::tcp::v4(), ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    stream.emplace(std::move(socket));
  }

  void say(std::string_view bytes, int flags = 0) const {
    EXPECT_EQ(::send(peer.get(), bytes.data(), bytes.size(), flags), ssize_t(bytes.size()));
  }
  // As far as it goes.
  void go(milliseconds limit = milliseconds(30)) {
    loop.restart();
    loop.run_for(limit);
  }

  Loop loop{kOneThread};
  FileHandle peer;
  std::optional<Stream> stream;
};

TEST_F(TcpPair, GivesWhatComesAsItComes) {
  Reading reading;
  spawn(loop, Reading::run(*stream, 8, reading));
  go();
  EXPECT_EQ(reading.reads, 0u);
  for (const std::string_view bytes : {"one", "sixteen bytes ..", "more than sixteen bytes"}) {
    const std::size_t before = reading.bytes.size();
    say(bytes);
    go();
    EXPECT_EQ(reading.bytes.substr(before), bytes);
  }
  EXPECT_FALSE(reading.ended);
}

// The system tells of both at once, and the bytes fill less than the room there is for them.
TEST_F(TcpPair, SeesTheEndThatCameWithTheLastBytes) {
  Reading reading;
  spawn(loop, Reading::run(*stream, 4096, reading));
  go();
  say("the last");
  ::shutdown(peer.get(), SHUT_WR);
  go();
  EXPECT_EQ(reading.bytes, "the last");
  EXPECT_EQ(reading.ended, asio::error::eof);
}

TEST_F(TcpPair, SeesTheEndThatWasThereBeforeAnybodyRead) {
  say("all of it");
  ::shutdown(peer.get(), SHUT_WR);
  go();
  Reading reading;
  spawn(loop, Reading::run(*stream, 4096, reading));
  go();
  EXPECT_EQ(reading.bytes, "all of it");
  EXPECT_EQ(reading.ended, asio::error::eof);
}

TEST_F(TcpPair, TellsOfAReset) {
  Reading reading;
  spawn(loop, Reading::run(*stream, 4096, reading));
  go();
  const linger at_once{1, 0};
  ::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  peer = FileHandle();
  go();
  EXPECT_EQ(reading.ended, asio::error::connection_reset);
}

// Where urgent data lies in the stream, a read ends before it although there is more.
TEST_F(TcpPair, ReadsOnBehindUrgentData) {
  say("before");
  say("!", MSG_OOB);
  say("behind it");
  Reading reading;
  spawn(loop, Reading::run(*stream, 4096, reading));
  go();
  EXPECT_EQ(reading.bytes, "beforebehind it");
  say(", and on");
  go();
  EXPECT_EQ(reading.bytes, "beforebehind it, and on");
}

TEST_F(TcpPair, IsQuietUntilThePeerSaysSomethingOrCloses) {
  Reading reading;
  spawn(loop, Reading::run(*stream, 4096, reading));
  say("an answer");
  go();
  EXPECT_TRUE(stream->is_quiet());
  EXPECT_FALSE(stream->peer_is_done());
  stream->close();
  go();
  EXPECT_EQ(reading.ended, asio::error::operation_aborted);
  EXPECT_FALSE(stream->is_quiet());
}

TEST_F(TcpPair, IsNotQuietOnceThePeerSpokeOutOfTurn) {
  std::array<char, 64> piece{};
  spawn(loop, read_once(*stream, piece));
  say("an answer");
  go();
  EXPECT_TRUE(stream->is_quiet());
  say("another one");
  go();
  EXPECT_FALSE(stream->is_quiet());
}

TEST_F(TcpPair, IsNotQuietOnceThePeerClosed) {
  std::array<char, 64> piece{};
  spawn(loop, read_once(*stream, piece));
  say("an answer");
  go();
  peer = FileHandle();
  go();
  EXPECT_FALSE(stream->is_quiet());
}

TEST_F(TcpPair, WritesMoreThanTheSystemHolds) {
  struct Writing {
    static Task<> run(Stream& to, const std::string& first, const std::string& second,
                      std::optional<SystemError>& into) {
      into = co_await to.write(first, second);
    }
  };
  const std::string first(std::size_t{5} << 20, 'a');
  const std::string second(std::size_t{7} << 20, 'b');
  std::optional<SystemError> done;
  spawn(loop, Writing::run(*stream, first, second, done));
  std::string got;
  std::string piece(std::size_t{1} << 20, '\0');
  while (got.size() < first.size() + second.size()) {
    go(milliseconds(2));
    const ssize_t n = ::recv(peer.get(), piece.data(), piece.size(), MSG_DONTWAIT);
    if (n > 0) got.append(piece, 0, static_cast<std::size_t>(n));
    ASSERT_NE(n, 0);
  }
  go();
  ASSERT_TRUE(done);
  EXPECT_FALSE(*done);
  EXPECT_TRUE(got == first + second);
}

TEST_F(TcpPair, AWriterLearnsThatItsStreamWasClosed) {
  struct Writing {
    static Task<> run(Stream& to, const std::string& all, std::optional<SystemError>& into) {
      into = co_await to.write(all, {});
    }
  };
  const std::string all(std::size_t{20} << 20, 'a');
  std::optional<SystemError> done;
  spawn(loop, Writing::run(*stream, all, done));
  go();
  EXPECT_FALSE(done);
  stream->close();
  EXPECT_FALSE(done);  // not from within close()
  go();
  EXPECT_EQ(done, SystemError(asio::error::operation_aborted));
}

// Of two that wait, the one that is done first ends the other; the stream goes on.
TEST_F(TcpPair, AReadThatIsNoLongerWantedLosesNothing) {
  struct Race {
    static Task<> run(Stream& of, Event& enough, std::array<char, 64>& into, std::size_t& winner) {
      using asio::experimental::awaitable_operators::operator||;
      const auto buffer = asio::buffer(into);
      auto first = co_await (of.read_some(buffer) || enough.wait());
      winner = first.index();
    }
  };
  Event enough;
  std::array<char, 64> piece{};
  std::size_t winner = 9;
  spawn(loop, Race::run(*stream, enough, piece, winner));
  go();
  enough.set();
  go();
  EXPECT_EQ(winner, 1u);
  EXPECT_TRUE(stream->is_open());
  say("for the next reader");
  Reading reading;
  spawn(loop, Reading::run(*stream, 4096, reading));
  go();
  EXPECT_EQ(reading.bytes, "for the next reader");
}

TEST_F(TcpPair, MayGoWhileBytesForItAreOnTheirWay) {
  Reading reading;
  spawn(loop, Reading::run(*stream, 4096, reading));
  go();
  say("never read");
  stream.reset();
  go();
  EXPECT_EQ(reading.ended, asio::error::operation_aborted);
  EXPECT_EQ(reading.bytes, "");
}

// What runs because of one socket's bytes closes another one whose bytes came in the same turn.
TEST_F(TcpPair, OneMayCloseTheOtherInTheSameTurn) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const FileHandle other_peer(ends[0]);
  Socket socket(loop);
  socket.assign(asio::ip::tcp::v4(), ends[1]);  // any stream of bytes will do
  std::optional<Stream> other(std::in_place, std::move(socket));
  struct Closing {
    static Task<> run(Stream& of, std::optional<Stream>& victim, int& reads) {
      std::array<char, 64> piece{};
      const auto buffer = asio::buffer(piece);
      auto [ec, n] = co_await of.read_some(buffer);
      if (ec) co_return;
      ++reads;
      victim.reset();
    }
  };
  int reads = 0;
  spawn(loop, Closing::run(*stream, other, reads));
  spawn(loop, Closing::run(*other, stream, reads));
  go();
  say("x");
  ASSERT_EQ(::send(other_peer.get(), "y", 1, 0), 1);
  go();
  EXPECT_EQ(reads, 1);
}

TEST_F(TcpPair, TheLoopMayGoWhileSomebodyReads) {
  struct Told {
    bool* gone;
    ~Told() { *gone = true; }
  };
  struct Waiting {
    static Task<> run(Stream its_stream, std::unique_ptr<Told> told) {
      std::array<char, 64> piece{};
      const auto buffer = asio::buffer(piece);
      [[maybe_unused]] auto read = co_await its_stream.read_some(buffer);
    }
  };
  bool gone = false;
  {
    auto its_loop = std::make_unique<Loop>(kOneThread);
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    const FileHandle its_peer(ends[0]);
    Socket socket(*its_loop);
    socket.assign(asio::ip::tcp::v4(), ends[1]);
    spawn(*its_loop, Waiting::run(Stream(std::move(socket)), std::make_unique<Told>(&gone)));
    its_loop->run_for(milliseconds(10));
    EXPECT_FALSE(gone);
    its_loop.reset();
  }
  EXPECT_TRUE(gone);
}

TEST_F(TcpPair, ALoopHasNothingToDoOnceItsSocketsAreGone) {
  stream.reset();
  loop.restart();
  loop.run();  // would not return
}

}  // namespace
}  // namespace remit::net
