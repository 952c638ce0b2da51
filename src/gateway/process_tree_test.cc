// Who holds the other end of a loopback connection: real processes, real sockets.

#include "gateway/process_tree.h"

#include <arpa/inet.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <vector>

#include "net/peer_socket.h"

namespace remit::gateway {
namespace {

// Connects to the port; "child": in a child of its own; "orphan": in a grandchild whose parent
// ends.
constexpr const char* kClient = R"py(
import os, socket, sys, time
how, port = sys.argv[1], int(sys.argv[2])
if how != "itself" and os.fork(): time.sleep(600 if how == "child" else 0.05) or os._exit(0)
if how == "orphan" and os.fork(): os._exit(0)
s = socket.create_connection(("127.0.0.1", port))
if how == "closes": s.shutdown(socket.SHUT_WR); s.close()
time.sleep(600)
)py";

class Listener {
 public:
  Listener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(fd_, 8), 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { close(fd_); }
  int accept_one() const { return accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC); }
  std::string port() const { return std::to_string(port_); }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

class Client {
 public:
  Client(const std::string& how, const std::string& port) {
    std::vector<std::string> words{"python3", "-c", kClient, how, port};
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    EXPECT_EQ(posix_spawnp(&pid_, argv[0], nullptr, &attributes, argv.data(), environ), 0);
    posix_spawnattr_destroy(&attributes);
  }
  ~Client() {
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

TEST(ProcessTree, KnowsWhoHoldsTheOtherEndOfAConnection) {
  const Listener listener;
  for (const std::string how : {"itself", "child"}) {
    const Client one(how, listener.port());
    const int from_one = listener.accept_one();
    const Client two(how, listener.port());
    const int from_two = listener.accept_one();
    const auto peer_one = net::peer_socket(from_one);
    const auto peer_two = net::peer_socket(from_two);
    ASSERT_TRUE(peer_one && peer_two) << how;
    EXPECT_EQ(peer_one->user, getuid());
    EXPECT_TRUE(tree_holds_socket(one.pid(), peer_one->inode)) << how;
    EXPECT_TRUE(tree_holds_socket(two.pid(), peer_two->inode)) << how;
    EXPECT_FALSE(tree_holds_socket(one.pid(), peer_two->inode)) << how;
    EXPECT_FALSE(tree_holds_socket(two.pid(), peer_one->inode)) << how;
    EXPECT_TRUE(tree_holds_socket(getpid(), peer_one->inode)) << "we started both";
    close(from_one);
    close(from_two);
  }
}

TEST(ProcessTree, AProcessThatGotAwayFromItsParentIsNotItsParents) {
  const Listener listener;
  const Client client("orphan", listener.port());
  const int from = listener.accept_one();
  const auto peer = net::peer_socket(from);
  ASSERT_TRUE(peer);
  // The supervisor of a lane takes such processes in; here nobody does.
  waitpid(client.pid(), nullptr, WNOWAIT);
  for (int round = 0; round < 500 && tree_holds_socket(client.pid(), peer->inode); ++round) {
    poll(nullptr, 0, 5);
  }
  EXPECT_FALSE(tree_holds_socket(client.pid(), peer->inode));
  close(from);
}

TEST(ProcessTree, ASocketThatNobodyHoldsIsNobodys) {
  const Listener listener;
  const Client client("closes", listener.port());
  const int from = listener.accept_one();
  char byte = 0;
  EXPECT_EQ(recv(from, &byte, 1, 0), 0);
  bool held = true;
  for (int round = 0; round < 500 && held; ++round) {
    held = net::peer_socket(from).has_value();
    if (held) poll(nullptr, 0, 5);
  }
  EXPECT_FALSE(held);
  EXPECT_FALSE(tree_holds_socket(getpid(), 0));
  EXPECT_FALSE(tree_holds_socket(-1, 1));
  close(from);
}

}  // namespace
}  // namespace remit::gateway
