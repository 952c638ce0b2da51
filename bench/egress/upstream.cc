// The fastest AWS there is: answers every request at once, on one thread, by epoll.
//
//   bench_upstream PORT
//
// GET .../bytes/N answers N bytes; any other request 1,024. Request bodies are read and dropped
// (Content-Length or chunked). For benchmarks only: it believes what it is sent.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

constexpr std::size_t kPiece = 256 << 10;

struct Connection {
  std::string in;
  std::string out;
  std::uint64_t body_left = 0;  // of the request being read
  bool chunked = false;
  std::uint64_t answer_left = 0;  // bytes of a large answer still to be made
};

std::uint64_t number_after(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == text.npos) return 0;
  return std::strtoull(text.data() + at + mark.size(), nullptr, 10);
}

void answer(Connection& c, std::uint64_t size) {
  char head[160];
  const int n = std::snprintf(head, sizeof head,
                              "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n"
                              "x-amz-request-id: 0123456789ABCDEF\r\nServer: bench\r\n\r\n",
                              static_cast<unsigned long long>(size));
  c.out.append(head, static_cast<std::size_t>(n));
  if (size <= kPiece) {
    c.out.append(size, 'x');
  } else {
    c.answer_left = size;
  }
}

// Takes whole requests off `in`.
void take_requests(Connection& c) {
  while (true) {
    if (c.chunked) {
      const std::size_t end = c.in.find("0\r\n\r\n");
      if (end == std::string::npos) {
        if (c.in.size() > 8) c.in.erase(0, c.in.size() - 8);
        return;
      }
      c.in.erase(0, end + 5);
      c.chunked = false;
      answer(c, 1024);
      continue;
    }
    if (c.body_left != 0) {
      const std::uint64_t n = std::min<std::uint64_t>(c.body_left, c.in.size());
      c.in.erase(0, n);
      c.body_left -= n;
      if (c.body_left != 0) return;
      answer(c, 1024);
      continue;
    }
    const std::size_t end = c.in.find("\r\n\r\n");
    if (end == std::string::npos) return;
    std::string head = c.in.substr(0, end + 2);
    c.in.erase(0, end + 4);
    const std::uint64_t wanted = number_after(head.substr(0, head.find("\r\n")), "/bytes/");
    for (char& ch : head) ch = static_cast<char>(std::tolower(static_cast<unsigned char>(ch)));
    c.body_left = number_after(head, "\r\ncontent-length: ");
    c.chunked = head.find("\r\ntransfer-encoding: chunked") != std::string::npos;
    if (c.body_left == 0 && !c.chunked) answer(c, wanted == 0 ? 1024 : wanted);
  }
}

// False: the connection is at its end.
bool send_out(int fd, Connection& c) {
  static const std::string filler(kPiece, 'x');
  while (true) {
    if (!c.out.empty()) {
      const ssize_t n = ::send(fd, c.out.data(), c.out.size(), MSG_NOSIGNAL);
      if (n < 0) return errno == EAGAIN;
      c.out.erase(0, static_cast<std::size_t>(n));
      if (!c.out.empty()) continue;
    }
    if (c.answer_left == 0) return true;
    const std::size_t size = std::min<std::uint64_t>(c.answer_left, kPiece);
    const ssize_t n = ::send(fd, filler.data(), size, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN;
    c.answer_left -= static_cast<std::uint64_t>(n);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int one = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, 1024) != 0) {
    std::perror("listen");
    return 1;
  }
  const int poll = ::epoll_create1(0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener;
  ::epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  std::unordered_map<int, Connection> connections;
  auto buffer = std::make_unique<char[]>(kPiece);
  std::array<epoll_event, 256> events;
  while (true) {
    const int n = ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < n; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener) {
        int client;
        while ((client = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0) {
          ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
          event.events = EPOLLIN | EPOLLOUT | EPOLLET;
          event.data.fd = client;
          ::epoll_ctl(poll, EPOLL_CTL_ADD, client, &event);
          connections[client];
        }
        continue;
      }
      Connection& c = connections[fd];
      bool alive = true;
      while (alive) {
        const ssize_t got = ::recv(fd, buffer.get(), kPiece, 0);
        if (got < 0 && errno == EAGAIN) break;
        if (got <= 0) {
          alive = false;
          break;
        }
        const auto size = static_cast<std::uint64_t>(got);
        if (!c.chunked && c.in.empty() && c.body_left > size) {
          c.body_left -= size;  // the middle of a large body: nothing to keep
          continue;
        }
        c.in.append(buffer.get(), size);
        take_requests(c);
        alive = send_out(fd, c);
      }
      if (alive) alive = send_out(fd, c);
      if (!alive) {
        ::close(fd);
        connections.erase(fd);
      }
    }
  }
}
