#include "net/peer_socket.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace remit::net {
namespace {

struct Question {
  nlmsghdr head;
  inet_diag_req_v2 request;
};

// One answer of the kernel about one socket; a socket that nobody holds any more has no inode.
std::optional<PeerSocket> ask(const Question& question) {
  const int netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (netlink < 0) return std::nullopt;
  alignas(nlmsghdr) std::array<char, 1024> answer{};
  std::optional<PeerSocket> held;
  if (send(netlink, &question, sizeof question, 0) == sizeof question) {
    const ssize_t size = recv(netlink, answer.data(), answer.size(), MSG_DONTWAIT);
    nlmsghdr head{};
    inet_diag_msg found{};
    if (size >= static_cast<ssize_t>(NLMSG_HDRLEN + sizeof found)) {
      std::memcpy(&head, answer.data(), sizeof head);
      std::memcpy(&found, answer.data() + NLMSG_HDRLEN, sizeof found);
      if (head.nlmsg_type == SOCK_DIAG_BY_FAMILY && found.idiag_inode != 0) {
        held = PeerSocket{.user = found.idiag_uid, .inode = found.idiag_inode};
      }
    }
  }
  close(netlink);
  return held;
}

}  // namespace

std::optional<PeerSocket> peer_socket(int fd) {
  sockaddr_in own{}, peer{};
  socklen_t own_size = sizeof own, peer_size = sizeof peer;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) != 0 ||
      getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0 ||
      own.sin_family != AF_INET || peer.sin_family != AF_INET) {
    return std::nullopt;
  }
  Question question{};
  question.head.nlmsg_len = sizeof question;
  question.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.head.nlmsg_flags = NLM_F_REQUEST;
  question.request.sdiag_family = AF_INET;
  question.request.sdiag_protocol = IPPROTO_TCP;
  question.request.idiag_states = ~0U;
  inet_diag_sockid& id = question.request.id;  // seen from the other end
  id.idiag_sport = peer.sin_port;
  id.idiag_dport = own.sin_port;
  id.idiag_src[0] = peer.sin_addr.s_addr;
  id.idiag_dst[0] = own.sin_addr.s_addr;
  id.idiag_cookie[0] = id.idiag_cookie[1] = static_cast<__u32>(INET_DIAG_NOCOOKIE);
  return ask(question);
}

}  // namespace remit::net
