/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers of configuration space by their offsets in type 0 and type 1 headers (PCI Express Base,
 * section 7.5.1), reached by memory accesses once the host bridge shows them.
 */
#include "transport/qtest-pci.h"

#include <errno.h>

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define RESET_CONTROL 0xcf9 /* of q35's LPC bridge */
#define RESET_HARD 0x6
#define MCH_PCIEXBAR 0x80000060u /* q35 host bridge 00:00.0, register 60h */
#define PCIEXBAR_ENABLE 1u

#define PCI_COMMAND 0x04
#define PCI_COMMAND_MEMORY_MASTER 0x6
#define PCI_BAR0 0x10
#define PCI_BAR_ADDRESS 0xfffffff0u
#define PCI_BRIDGE_BUSES 0x18
#define PCI_BRIDGE_MEMORY 0x20
#define PCI_BRIDGE_CONTROL 0x3c     /* in its upper half */
#define PCI_BRIDGE_RESET (1u << 22) /* of the bus behind it */
#define PCI_EXTENDED 0x100
#define PCI_EXTENDED_MAX 48 /* more capabilities than this are a loop */
#define PCI_CAP_SERIAL 0x0003

void fwa_pci_start(struct fwa_qtest *q)
{
	fwa_qtest_outl(q, CONFIG_ADDRESS, MCH_PCIEXBAR);
	fwa_qtest_outl(q, CONFIG_DATA, FWA_PCI_MMCONFIG | PCIEXBAR_ENABLE);
}

void fwa_pci_bridge(struct fwa_qtest *q, uint32_t config, uint8_t own_bus, uint8_t bus,
		    uint32_t from, uint32_t to)
{
	fwa_qtest_writel(q, config + PCI_BRIDGE_BUSES,
			 (uint32_t)bus << 16 | (uint32_t)bus << 8 | own_bus);
	fwa_qtest_writel(q, config + PCI_BRIDGE_MEMORY, (to & 0xfff00000u) | from >> 16);
	fwa_pci_enable(q, config);
}

/*
 * The machine resets itself when it gets to it. It has, when the window to configuration space, which
 * somebody had opened, is shut.
 */
void fwa_pci_reset_machine(struct fwa_qtest *q)
{
	unsigned int round = 0;
	uint32_t window;

	fwa_qtest_outb(q, RESET_CONTROL, RESET_HARD);
	do {
		fwa_qtest_outl(q, CONFIG_ADDRESS, MCH_PCIEXBAR);
		window = fwa_qtest_inl(q, CONFIG_DATA);
	} while (window & PCIEXBAR_ENABLE && fwa_qtest_wait(q, round++));
}

void fwa_pci_reset_bus(struct fwa_qtest *q, uint32_t config)
{
	uint32_t control = fwa_qtest_readl(q, config + PCI_BRIDGE_CONTROL) & ~PCI_BRIDGE_RESET;

	fwa_qtest_writel(q, config + PCI_BRIDGE_CONTROL, control | PCI_BRIDGE_RESET);
	fwa_qtest_writel(q, config + PCI_BRIDGE_CONTROL, control);
	fwa_qtest_sync(q);
}

void fwa_pci_place(struct fwa_qtest *q, uint32_t config, unsigned int bar, uint32_t addr)
{
	uint32_t reg = config + PCI_BAR0 + 4 * bar;

	fwa_qtest_writel(q, reg, addr);
	fwa_qtest_writel(q, reg + 4, 0);
	if ((fwa_qtest_readl(q, reg) & PCI_BAR_ADDRESS) != addr)
		fwa_qtest_fail(q, -EPROTO);
}

void fwa_pci_enable(struct fwa_qtest *q, uint32_t config)
{
	fwa_qtest_writel(q, config + PCI_COMMAND, PCI_COMMAND_MEMORY_MASTER);
}

uint32_t fwa_pci_id(struct fwa_qtest *q, uint32_t config)
{
	uint32_t id = fwa_qtest_readl(q, config);

	if (!q->error && (id == 0 || id == UINT32_MAX))
		fwa_qtest_fail(q, -EPROTO);
	return id;
}

uint64_t fwa_pci_serial(struct fwa_qtest *q, uint32_t config)
{
	uint32_t at = PCI_EXTENDED;

	for (int i = 0; i < PCI_EXTENDED_MAX && at >= PCI_EXTENDED; i++) {
		uint32_t header = fwa_qtest_readl(q, config + at);

		if ((header & 0xffff) == PCI_CAP_SERIAL)
			return (uint64_t)fwa_qtest_readl(q, config + at + 8) << 32 |
			       fwa_qtest_readl(q, config + at + 4);
		at = header >> 20 & 0xffc;
	}
	return 0;
}
