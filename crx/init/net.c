/* The network: lo and eth0, by rtnetlink. The machine's containers all share it. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "init.h"

enum { MESSAGE_ROOM = 512, MAC_LENGTH = 6 };

struct message {
  struct nlmsghdr head;
  uint8_t body[MESSAGE_ROOM];
};

struct prefix {
  uint8_t address[16];
  size_t size; /* 4 or 16; 0 when there is none */
  uint8_t length;
};

static int route_socket = -1;

static void *begin(struct message *message, uint16_t type, uint16_t flags, size_t size) {
  *message = (struct message){.head = {.nlmsg_type = type, .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags)}};
  message->head.nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
  return message->body;
}

static void add(struct message *message, uint16_t type, const void *value, size_t length) {
  size_t at = NLMSG_ALIGN(message->head.nlmsg_len) - sizeof message->head;
  if (at + RTA_SPACE(length) > MESSAGE_ROOM) return; /* never: all lengths are known */
  struct rtattr head = {.rta_len = (unsigned short)RTA_LENGTH(length), .rta_type = type};
  memcpy(message->body + at, &head, sizeof head);
  memcpy(message->body + at + sizeof head, value, length);
  message->head.nlmsg_len = (uint32_t)(sizeof message->head + at + RTA_SPACE(length));
}

/* Sends a request and waits for its acknowledgement. Returns 0 or an errno. */
static int ask(struct message *message) {
  struct {
    struct nlmsghdr head;
    struct nlmsgerr error;
    uint8_t rest[MESSAGE_ROOM];
  } answer;
  if (route_socket < 0) route_socket = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (route_socket < 0 || send(route_socket, message, message->head.nlmsg_len, 0) < 0) return errno;
  ssize_t got = recv(route_socket, &answer, sizeof answer, 0);
  if (got < 0) return errno;
  return answer.head.nlmsg_type == NLMSG_ERROR ? -answer.error.error : EPROTO;
}

static int link_up(int index) {
  struct message message;
  struct ifinfomsg *info = begin(&message, RTM_NEWLINK, 0, sizeof *info);
  info->ifi_index = index;
  info->ifi_flags = IFF_UP;
  info->ifi_change = IFF_UP;
  return ask(&message);
}

/* Loopback is the same in every machine, so that it can be up in their template. */
int loopback_up(void) {
  static bool up;
  int error = up ? 0 : link_up((int)if_nametoindex("lo"));
  up = error == 0;
  return error;
}

static int set_link(int index, struct span mac, uint32_t mtu) {
  struct message message;
  struct ifinfomsg *info = begin(&message, RTM_NEWLINK, 0, sizeof *info);
  info->ifi_index = index;
  if (mac.length == MAC_LENGTH) add(&message, IFLA_ADDRESS, mac.at, mac.length);
  if (mtu > 0) add(&message, IFLA_MTU, &mtu, sizeof mtu);
  return mac.length > 0 || mtu > 0 ? ask(&message) : 0;
}

/*
 * A link has the addresses that the host gives it and no other: a link-local one, which IPv6 makes of its own, serves
 * nobody here, and is announced and asked for routers. A link that has no IPv6, for its MTU is too small, refuses.
 */
static void make_no_addresses(int index) {
  struct message message;
  struct {
    struct nlattr family, mode;
    uint8_t value, padding[NLA_ALIGNTO - 1];
  } own = {.family = {.nla_len = sizeof own, .nla_type = AF_INET6},
           .mode = {.nla_len = NLA_HDRLEN + 1, .nla_type = IFLA_INET6_ADDR_GEN_MODE},
           .value = IN6_ADDR_GEN_MODE_NONE};
  struct ifinfomsg *info = begin(&message, RTM_NEWLINK, 0, sizeof *info);
  info->ifi_index = index;
  add(&message, IFLA_AF_SPEC, &own, sizeof own);
  ask(&message);
}

static int add_address(int index, const struct prefix *prefix) {
  struct message message;
  struct ifaddrmsg *info = begin(&message, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sizeof *info);
  info->ifa_family = prefix->size == 4 ? AF_INET : AF_INET6;
  info->ifa_prefixlen = prefix->length;
  info->ifa_index = (uint32_t)index;
  if (prefix->size == 16) info->ifa_flags = IFA_F_NODAD;
  add(&message, IFA_LOCAL, prefix->address, prefix->size);
  add(&message, IFA_ADDRESS, prefix->address, prefix->size);
  return ask(&message);
}

static int add_route(int index, const struct prefix *to, struct span gateway) {
  struct message message;
  size_t size = to->size != 0 ? to->size : gateway.length;
  struct rtmsg *info = begin(&message, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, sizeof *info);
  info->rtm_family = size == 16 ? AF_INET6 : AF_INET;
  info->rtm_dst_len = to->length;
  info->rtm_table = RT_TABLE_MAIN;
  info->rtm_protocol = RTPROT_BOOT;
  info->rtm_type = RTN_UNICAST;
  info->rtm_scope = gateway.length > 0 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
  if (gateway.length > 0) info->rtm_flags = RTNH_F_ONLINK; /* a /32 has no neighbours of its own */
  if (to->length > 0) add(&message, RTA_DST, to->address, to->size);
  if (gateway.length > 0) add(&message, RTA_GATEWAY, gateway.at, gateway.length);
  add(&message, RTA_OIF, &index, sizeof index);
  return ask(&message);
}

static struct prefix read_prefix(struct span body) {
  struct prefix prefix = {.size = 0};
  struct field field;
  while (tlv_next(&body, &field)) {
    if (field.tag == TAG_PREFIX_LENGTH) prefix.length = (uint8_t)span_u32(field.value);
    if (field.tag != TAG_PREFIX_ADDRESS || (field.value.length != 4 && field.value.length != 16)) continue;
    prefix.size = field.value.length;
    memcpy(prefix.address, field.value.at, prefix.size);
  }
  return prefix;
}

static int read_route(int index, struct span body) {
  struct prefix to = {.size = 0};
  struct span gateway = {NULL, 0};
  struct field field;
  while (tlv_next(&body, &field)) {
    if (field.tag == TAG_ROUTE_TO) to = read_prefix(field.value);
    if (field.tag == TAG_ROUTE_GATEWAY && (field.value.length == 4 || field.value.length == 16)) gateway = field.value;
  }
  return add_route(index, &to, gateway);
}

int handle_network(const struct request *request, struct writer *reply) {
  struct span rest = request->body, mac = {NULL, 0};
  struct field field;
  uint32_t mtu = 0;
  (void)reply;
  while (tlv_next(&rest, &field)) {
    if (field.tag == TAG_NETWORK_MAC) mac = field.value;
    if (field.tag == TAG_NETWORK_MTU) mtu = span_u32(field.value);
  }
  int error = loopback_up();
  if (error != 0) return fail(error, "lo");
  bind_network_cards();
  int index = (int)if_nametoindex("eth0");
  if (index == 0) return fail(ENODEV, "eth0");
  error = set_link(index, mac, mtu);
  make_no_addresses(index);
  if (error == 0) error = link_up(index);
  if (error != 0) return fail(error, "eth0");
  for (rest = request->body; error == 0 && tlv_next(&rest, &field);) {
    if (field.tag != TAG_NETWORK_ADDRESSES) continue;
    struct prefix prefix = read_prefix(field.value);
    error = add_address(index, &prefix);
  }
  if (error != 0) return fail(error, "address");
  for (rest = request->body; error == 0 && tlv_next(&rest, &field);)
    if (field.tag == TAG_NETWORK_ROUTES) error = read_route(index, field.value);
  return error != 0 ? fail(error, "route") : 0;
}

static int set_sysctl(struct span body) {
  char name[NAME_ROOM] = "", value[256] = "", path[PATH_ROOM];
  struct field field;
  while (tlv_next(&body, &field)) {
    if (field.tag == TAG_SYSCTL_NAME) span_text(field.value, name, sizeof name);
    if (field.tag == TAG_SYSCTL_VALUE) span_text(field.value, value, sizeof value);
  }
  /* Both spellings, net.ipv4.ip_forward and net/ipv4/ip_forward, and no way out of the tree. */
  if (name[0] == '\0' || strstr(name, "..") != NULL) return fail(EINVAL, "sysctl \"%s\"", name);
  if (strchr(name, '/') == NULL)
    for (char *dot = name; (dot = strchr(dot, '.')) != NULL;) *dot = '/';
  snprintf(path, sizeof path, "/proc/sys/%s", name);
  int error = write_text(path, value);
  return error == 0 ? 0 : fail(error, "sysctl %s", name);
}

int handle_sysctls(const struct request *request, struct writer *reply) {
  struct span rest = request->body;
  struct field field;
  int error = 0;
  (void)reply;
  while (error == 0 && tlv_next(&rest, &field))
    if (field.tag == TAG_SYSCTLS_SETTINGS) error = set_sysctl(field.value);
  return error;
}
