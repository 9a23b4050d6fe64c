#!/bin/bash
# The layout of examples/neutron as an able operator would write it: `layout.sh compute|network up|down`, as root, on the
# host of that name. It makes the same devices, VLANs, flows, firewalls, DHCP servers and addresses in as few processes as
# can be; it looks at nothing before, proves nothing after, and knows that the host is empty. `npm run bench` measures it
# through one SSH connection a host, and compares what it makes with what the example makes.
set -eu

tenant_mtu=1458
lease_folder=/run/bench-layout

# No IPv6 on what only carries frames. A redirection of the shell's own: no process.
without_ipv6() {
  local device
  for device; do echo 1 >"/proc/sys/net/ipv6/conf/$device/disable_ipv6"; done
}

# `ip netns add` makes this folder, and nothing takes it away again: the undo does where it was not there before.
remember_netns_folder() {
  [ -e /run/netns ] || echo >/run/bench-layout-made-netns
}

forget_netns_folder() {
  [ -e /run/bench-layout-made-netns ] || return 0
  rm /run/bench-layout-made-netns
  umount /run/netns
  rmdir /run/netns
}

# The guest's bridge, its pair to br-int, and its own pair. `guest_links NAME MAC VLAN`, lines for ip -batch.
guest_links() {
  cat <<END
netns add $1
link add qbr$1 mtu $tenant_mtu type bridge forward_delay 0 ageing_time 0 mcast_snooping 0 vlan_filtering 1 vlan_default_pvid $3
link add qvb$1 mtu $tenant_mtu type veth peer name qvo$1 mtu $tenant_mtu
link add tap$1 mtu $tenant_mtu type veth peer name eth0 address $2 mtu $tenant_mtu netns $1
END
}

guest_up() {
  cat <<END
link set qvb$1 master qbr$1 up
link set tap$1 master qbr$1 up
link set qvo$1 up
link set qbr$1 up
END
}

# `guest_inside NAME ADDRESS`
guest_inside() {
  ip -n "$1" -batch - <<END
link set lo up
link set eth0 up
address add $2/24 dev eth0
route add default via 10.0.0.1 proto static
END
}

# `guest_port NAME MAC VLAN PORT-ID VM-ID`, words for ovs-vsctl.
guest_port() {
  printf '%s ' -- add-port br-int "qvo$1" "tag=$3" "trunks=$3" vlan_mode=native-tagged \
    -- set Interface "qvo$1" "external_ids:attached-mac=\"$2\"" "external_ids:iface-id=$4" \
    external_ids:iface-status=active "external_ids:vm-id=$5"
}

# The security group `web` around a guest. `guest_firewall NAME MAC LINK-LOCAL ADDRESS VLAN`, lines for nft.
guest_firewall() {
  cat <<END
table bridge neutron-tap$1 {
  set pairs-v4 {
    type ether_addr . ipv4_addr
    flags interval
    elements = { $2 . $4 }
  }
  set pairs-v6 {
    type ether_addr . ipv6_addr
    flags interval
    elements = { $2 . $3 }
  }
  set group-web-v4 {
    type ipv4_addr
    flags interval
    elements = { 10.0.0.10, 10.0.0.11 }
  }
  set group-web-v6 {
    type ipv6_addr
    flags interval
  }
  chain i-rules {
    meta l4proto icmp ct original proto-dst 2048-2303 accept
    meta protocol ip meta l4proto tcp ct original proto-dst 22 ct original ip saddr @group-web-v4 accept
    meta protocol ip6 meta l4proto tcp ct original proto-dst 22 ct original ip6 saddr @group-web-v6 accept
  }
  chain o-rules {
    meta protocol ip accept
    meta protocol ip6 accept
  }
  chain i {
    ether type arp accept
    icmpv6 type { mld-listener-query, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
    udp sport 67 udp dport 68 accept
    udp sport 547 udp dport 546 accept
    ct state invalid drop
    meta l4proto { icmp, ipv6-icmp } ct state related accept
    ct direction reply jump o-rules
    ct direction original jump i-rules
    drop
  }
  chain o {
    ether saddr != $2 drop
    arp saddr ether != $2 drop
    arp saddr ip 0.0.0.0 arp operation request accept
    ether saddr . arp saddr ip @pairs-v4 accept
    ether type arp drop
    ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept
    udp sport 67 udp dport 68 drop
    udp sport 547 udp dport 546 drop
    icmpv6 type { nd-router-advert, nd-redirect } drop
    ip6 saddr :: ip6 daddr ff02::/16 icmpv6 type { mld-listener-report, nd-neighbor-solicit, mld2-listener-report } accept
    ether saddr . ip saddr != @pairs-v4 drop
    ether saddr . ip6 saddr != @pairs-v6 drop
    udp sport 68 udp dport 67 accept
    udp sport 546 udp dport 547 accept
    icmpv6 type { mld-listener-query, mld-listener-report, nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report } accept
    meta protocol != { ip, ip6 } drop
    ct state invalid drop
    meta l4proto { icmp, ipv6-icmp } ct state related accept
    ct direction reply jump i-rules
    ct direction original jump o-rules
    drop
  }
  chain ct-zone {
    type filter hook prerouting priority dstnat
    iifname { "qvb$1", "tap$1" } ct zone set $5
  }
  chain from-guest {
    type filter hook prerouting priority -150
    iifname "tap$1" jump o
  }
  chain to-guest {
    type filter hook forward priority filter
    oifname "tap$1" jump i
  }
  chain to-host {
    type filter hook input priority filter
    iifname { "qvb$1", "tap$1" } drop
  }
}
END
}

# br-int and br-tun with the tunnel. `node_bridges LOCAL REMOTE TUNNEL`, words for ovs-vsctl.
node_bridges() {
  printf '%s ' -- add-br br-int -- set Bridge br-int fail_mode=secure \
    -- add-br br-tun -- set Bridge br-tun fail_mode=secure \
    -- add-port br-int patch-tun -- set Interface patch-tun type=patch options:peer=patch-int \
    -- add-port br-tun patch-int -- set Interface patch-int type=patch options:peer=patch-tun \
    -- add-port br-tun "$3" -- set Interface "$3" type=gre "options:local_ip=$1" "options:remote_ip=$2" options:key=flow
}

# Both tenants' flows through the tunnel. `tunnel_flows TUNNEL BLUE-VLAN`
tunnel_flows() {
  ovs-ofctl add-flows br-tun - <<END
table=0,priority=2,in_port=LOCAL,actions=drop
table=0,priority=1,in_port=patch-int,actions=resubmit(,2)
table=0,priority=0,actions=resubmit(,3)
table=2,priority=0,dl_dst=00:00:00:00:00:00/01:00:00:00:00:00,actions=resubmit(,20)
table=2,priority=0,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,actions=resubmit(,22)
table=3,priority=1,tun_id=100,actions=mod_vlan_vid:$2,resubmit(,10)
table=3,priority=1,tun_id=200,actions=mod_vlan_vid:200,resubmit(,10)
table=3,priority=0,actions=drop
table=10,priority=1,dl_vlan=$2,actions=learn(table=20,hard_timeout=300,priority=1,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],load:100->NXM_NX_TUN_ID[],output:NXM_OF_IN_PORT[]),output:patch-int
table=10,priority=1,dl_vlan=200,actions=learn(table=20,hard_timeout=300,priority=1,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],load:200->NXM_NX_TUN_ID[],output:NXM_OF_IN_PORT[]),output:patch-int
table=20,priority=0,actions=resubmit(,22)
table=22,priority=1,dl_vlan=$2,actions=strip_vlan,set_tunnel:100,output:$1
table=22,priority=1,dl_vlan=200,actions=strip_vlan,set_tunnel:200,output:$1
table=22,priority=0,actions=drop
END
}

compute_up() {
  local blue=fa:16:3e:6e:1a:e8 red=fa:16:3e:54:ba:f2
  remember_netns_folder
  ip -batch - <<END
address add 10.199.0.1/24 dev eth1
link set eth1 up
$(guest_links blue1 $blue 11)
$(guest_links red1 $red 200)
END
  without_ipv6 {qbr,qvb,qvo,tap}{blue1,red1}
  nft -f - <<END
$(guest_firewall blue1 $blue fe80::f816:3eff:fe6e:1ae8 10.0.0.10 11)
$(guest_firewall red1 $red fe80::f816:3eff:fe54:baf2 10.0.0.10 200)
END
  ovs-vsctl $(node_bridges 10.199.0.1 10.199.0.2 gre-0ac70002) \
    $(guest_port blue1 $blue 11 8bdf37f2-5351-8732-b820-72dd82225731 6e1ae817-77ed-87e5-b185-aa4314717628) \
    $(guest_port red1 $red 200 278315b6-8b40-8b09-9563-24c654f9b662 54baf2d9-2db3-8ecd-b63c-79068e540b46)
  without_ipv6 br-int br-tun
  ovs-ofctl add-flows br-int - <<END
table=0,priority=65535,dl_vlan=4095,actions=drop
table=0,priority=0,actions=resubmit(,60)
table=60,priority=3,actions=NORMAL
END
  tunnel_flows gre-0ac70002 11
  ip -batch - <<END
$(guest_up blue1)
$(guest_up red1)
END
  bridge -batch - <<END
vlan add vid 11 dev qvbblue1
vlan add vid 200 dev qvbred1
END
  guest_inside blue1 10.0.0.10
  guest_inside red1 10.0.0.10
}

compute_down() {
  ovs-vsctl -- del-br br-int -- del-br br-tun
  nft 'delete table bridge neutron-tapblue1; delete table bridge neutron-tapred1'
  ip -batch - <<END
link del tapblue1
link del tapred1
netns del blue1
netns del red1
link del qvbblue1
link del qvbred1
link del qbrblue1
link del qbrred1
address del 10.199.0.1/24 dev eth1
link set eth1 down
END
  forget_netns_folder
}

# A port of br-int and the end of its pair in a namespace. `service_links TAP DEVICE NAMESPACE MTU`
service_links() {
  echo "link add $1 mtu $4 type veth peer name $2 mtu $4 netns $3"
  echo "link set $1 up"
}

# `service_port TAP VLAN PORT-ID`
service_port() {
  printf '%s ' -- add-port br-int "$1" "tag=$2" \
    -- set Interface "$1" "external_ids:iface-id=$3" external_ids:iface-status=active
}

# `service_inside NAMESPACE DEVICE ADDRESS`
service_inside() {
  ip -n "$1" -batch - <<END
link set lo up
link set $2 up
address add $3 dev $2
END
  ip netns exec "$1" ethtool -K "$2" tx off >/dev/null
}

# `router_sysctls ROUTER`
router_sysctls() {
  ip netns exec "$1" sysctl -qw net.ipv4.conf.all.arp_announce=2 net.ipv4.conf.all.arp_ignore=1 net.ipv4.ip_forward=1 \
    net.ipv6.conf.all.forwarding=1 net.netfilter.nf_conntrack_tcp_be_liberal=1
}

# `dhcp NAMESPACE DEVICE RANGE [OPTION…]`; dnsmasq is ready when it goes into the background.
dhcp() {
  local namespace=$1 device=$2 range=$3
  shift 3
  ip netns exec "$namespace" dnsmasq --conf-file=/dev/null --user=nobody --bind-dynamic --except-interface=lo --port=0 \
    --interface="$device" --dhcp-range="$range" --pid-file="$lease_folder/$namespace.pid" \
    --dhcp-leasefile="$lease_folder/$namespace.leases" --dhcp-option=option:router,10.0.0.1 \
    --dhcp-option=option:dns-server --dhcp-option=option:mtu,$tenant_mtu "$@"
}

# Neighbours learn of the address, beside all that follows. `announce ROUTER DEVICE ADDRESS`
announce() {
  ip netns exec "$1" arping -q -U -c 2 -I "$2" "$3" &
}

network_up() {
  local blue=fa:16:3e:ae:7f:ae
  remember_netns_folder
  ip -batch - <<END
address add 10.199.0.2/24 dev eth1
link set eth1 up
link set eth2 up
netns add qdhcp-blue
netns add qdhcp-red
netns add qrouter-blue-router
netns add qrouter-red-router
$(guest_links blue2 $blue 12)
$(service_links tap5e0b3ed6-95 ns-5e0b3ed6-95 qdhcp-blue $tenant_mtu)
$(service_links tapdhcp-red-v4 ns-dhcp-red-v4 qdhcp-red $tenant_mtu)
$(service_links tap258fd9d9-a1 qr-258fd9d9-a1 qrouter-blue-router $tenant_mtu)
$(service_links tapad163bb5-13 qr-ad163bb5-13 qrouter-red-router $tenant_mtu)
$(service_links tapblue-router qg-blue-router qrouter-blue-router 1500)
END
  without_ipv6 {qbr,qvb,qvo,tap}blue2 tap{5e0b3ed6-95,dhcp-red-v4,258fd9d9-a1,ad163bb5-13,blue-router}
  nft -f - <<END
$(guest_firewall blue2 $blue fe80::f816:3eff:feae:7fae 10.0.0.11 12)
END
  ovs-vsctl $(node_bridges 10.199.0.2 10.199.0.1 gre-0ac70001) \
    -- add-br br-ex -- add-port br-ex eth2 \
    -- add-port br-int int-br-ex -- set Interface int-br-ex type=patch options:peer=phy-br-ex \
    -- add-port br-ex phy-br-ex -- set Interface phy-br-ex type=patch options:peer=int-br-ex \
    $(guest_port blue2 $blue 12 4b87ca53-389b-8cd8-9e3e-9b4b2daf71d4 ae7fae62-6748-89f6-99c7-b0a8c44e2ceb) \
    $(service_port tap5e0b3ed6-95 12 1271c934-d88f-8bb2-9602-ad954e5ab30f) \
    $(service_port tapdhcp-red-v4 200 f6055552-c3d0-8793-9fed-58e2492a67d1) \
    $(service_port tap258fd9d9-a1 12 d44005a0-e5c0-8e61-933e-12e0e2ed61c7) \
    $(service_port tapad163bb5-13 200 667be97c-c6c2-85e6-bff5-ab6fdb501405) \
    $(service_port tapblue-router 4000 fed4956f-1237-8b2d-88d6-53e4b2861232)
  without_ipv6 br-int br-tun
  ovs-ofctl add-flows br-int - <<END
table=0,priority=65535,dl_vlan=4095,actions=drop
table=0,priority=3,in_port=int-br-ex,vlan_tci=0x0000/0x1fff,actions=mod_vlan_vid:4000,resubmit(,60)
table=0,priority=2,in_port=int-br-ex,actions=drop
table=0,priority=0,actions=resubmit(,60)
table=60,priority=3,actions=NORMAL
END
  ovs-ofctl add-flows br-ex - <<END
table=0,priority=4,in_port=phy-br-ex,dl_vlan=4000,actions=strip_vlan,NORMAL
table=0,priority=2,in_port=phy-br-ex,actions=drop
END
  tunnel_flows gre-0ac70001 12
  ip -batch - <<END
$(guest_up blue2)
link set br-ex up
address add 203.0.113.1/24 dev br-ex
END
  bridge vlan add vid 12 dev qvbblue2
  guest_inside blue2 10.0.0.11

  service_inside qdhcp-blue ns-5e0b3ed6-95 10.0.0.2/24
  service_inside qdhcp-red ns-dhcp-red-v4 10.0.0.2/24
  service_inside qrouter-red-router qr-ad163bb5-13 10.0.0.1/24
  ip -n qrouter-blue-router -batch - <<END
link set lo up
link set qr-258fd9d9-a1 up
address add 10.0.0.1/24 dev qr-258fd9d9-a1
link set qg-blue-router up
address add 203.0.113.10/24 dev qg-blue-router
address add 203.0.113.20/32 dev qg-blue-router
route add default via 203.0.113.1 proto static
END
  ip netns exec qrouter-blue-router ethtool -K qr-258fd9d9-a1 tx off >/dev/null
  ip netns exec qrouter-blue-router ethtool -K qg-blue-router tx off >/dev/null
  router_sysctls qrouter-blue-router
  router_sysctls qrouter-red-router
  ip netns exec qrouter-blue-router nft -f - <<END
table ip neutron {
  set floating-pairs {
    type ipv4_addr . ipv4_addr
    elements = { 203.0.113.20 . 10.0.0.10 }
  }
  map floating-in {
    type ipv4_addr : ipv4_addr
    elements = { 203.0.113.20 : 10.0.0.10 }
  }
  map floating-out {
    type ipv4_addr : ipv4_addr
    elements = { 10.0.0.10 : 203.0.113.20 }
  }
  chain guard {
    type filter hook forward priority filter
    ct status dnat ct original ip daddr . ct reply ip saddr != @floating-pairs drop
    ct status snat ct reply ip daddr != 203.0.113.10 ct reply ip daddr . ct original ip saddr != @floating-pairs drop
  }
  chain output {
    type nat hook output priority -100
    dnat to ip daddr map @floating-in
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    iifname != "qg-blue-router" oifname != "qg-blue-router" ct status dnat snat to 203.0.113.10
    oifname "qg-blue-router" snat to ip saddr map @floating-out
    oifname "qg-blue-router" snat to 203.0.113.10
  }
  chain prerouting {
    type nat hook prerouting priority dstnat
    dnat to ip daddr map @floating-in
  }
}
END
  announce qrouter-blue-router qr-258fd9d9-a1 10.0.0.1
  announce qrouter-red-router qr-ad163bb5-13 10.0.0.1
  announce qrouter-blue-router qg-blue-router 203.0.113.10
  announce qrouter-blue-router qg-blue-router 203.0.113.20
  install -d -o nobody $lease_folder
  dhcp qdhcp-blue ns-5e0b3ed6-95 10.0.0.100,10.0.0.199,86400 --dhcp-authoritative \
    --dhcp-host=fa:16:3e:6e:1a:e8,10.0.0.10,blue1 --dhcp-host=$blue,10.0.0.11,blue2
  dhcp qdhcp-red ns-dhcp-red-v4 10.0.0.1,static,86400 --dhcp-host=fa:16:3e:54:ba:f2,10.0.0.10,red1
  wait
}

network_down() {
  kill $(cat $lease_folder/*.pid)
  rm -r $lease_folder
  ovs-vsctl -- del-br br-int -- del-br br-tun -- del-br br-ex
  nft delete table bridge neutron-tapblue2
  ip -batch - <<END
link del tap5e0b3ed6-95
link del tapdhcp-red-v4
link del tap258fd9d9-a1
link del tapad163bb5-13
link del tapblue-router
link del tapblue2
netns del qdhcp-blue
netns del qdhcp-red
netns del qrouter-blue-router
netns del qrouter-red-router
netns del blue2
link del qvbblue2
link del qbrblue2
address del 10.199.0.2/24 dev eth1
link set eth1 down
link set eth2 down
END
  forget_netns_folder
}

"$1_$2"
